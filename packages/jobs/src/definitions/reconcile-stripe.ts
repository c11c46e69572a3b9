import { defineSchedule } from '../definition.ts';

/** Looks at Stripe for what its webhooks did not tell: events that never came, and what became of deposits. */
export const reconcileStripe = defineSchedule({
  name: 'reconcile-stripe',
  queue: 'schedules',
  everyMs: 300_000,
});
