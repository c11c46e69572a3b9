import { defineSchedule } from '../definition.ts';

/** Deletes the answers to keyed requests that have outlived their day. */
export const cleanIdempotencyRecords = defineSchedule({
  name: 'clean-idempotency-records',
  queue: 'schedules',
  everyMs: 600_000,
});
