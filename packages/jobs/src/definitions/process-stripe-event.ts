import Type from 'typebox';
import { defineJob } from '../definition.ts';

/**
 * Does what an event from Stripe asks for. About three days of attempts: some events need an answer of Stripe, which
 * may be away for long.
 */
export const processStripeEvent = defineJob({
  name: 'process-stripe-event',
  queue: 'payments',
  payload: Type.Object({ stripeEventId: Type.String() }),
  subject: 'stripeEventId',
  retry: { attempts: 110, backoffMs: 500, maxBackoffMs: 3_600_000 },
});
