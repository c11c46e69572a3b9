import { defineSchedule } from '../definition.ts';

/** Deletes sessions that have ended by themselves, and tokens of reset mails that have run out. */
export const cleanCredentials = defineSchedule({
  name: 'clean-credentials',
  queue: 'schedules',
  everyMs: 600_000,
});
