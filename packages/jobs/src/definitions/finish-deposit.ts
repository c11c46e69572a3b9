import Type from 'typebox';
import { defineJob } from '../definition.ts';

/**
 * Finishes a deposit whose gateway died between Stripe and the database. While Stripe is away that counts as no failure;
 * after 23 hours the deposit is canceled, since Stripe may have forgotten a first payment by then.
 */
export const finishDeposit = defineJob({
  name: 'finish-deposit',
  queue: 'payments',
  payload: Type.Object({ depositId: Type.String(), accountId: Type.String() }),
  subject: 'depositId',
  retry: { attempts: 100, backoffMs: 1_000, maxBackoffMs: 300_000 },
});
