import { defineSchedule } from '../definition.ts';

/** Tries the resting orders of the paper broker against the quotes of the moment, and expires day orders. */
export const matchRestingOrders = defineSchedule({
  name: 'match-resting-orders',
  queue: 'schedules',
  everyMs: 1_000,
});
