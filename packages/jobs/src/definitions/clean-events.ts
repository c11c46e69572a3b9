import { defineSchedule } from '../definition.ts';

/** Deletes events that nobody is owed any more, with what was sent of them, once they are old. */
export const cleanEvents = defineSchedule({
  name: 'clean-events',
  queue: 'schedules',
  everyMs: 600_000,
});
