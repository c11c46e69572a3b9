import type { Database } from '@gatehouse/db/client';
import { type DepositReference, hasDeposit, haveFailedRefunds } from '@gatehouse/db/deposit-books';
import { GroupCommit } from '@gatehouse/db/group-commit';
import { readStripePayloads } from '@gatehouse/db/stripe-events';

/** What is read for events before they are settled. */
export interface StoredReader {
  /** What an event says. @throws when there is no such event */
  payload(id: string): Promise<string>;
  /** Whether a refund of the deposit that this payment belongs to is known to have failed. */
  hasFailedRefund(paymentIntentId: string): Promise<boolean>;
  /** Whether a payment is one of a deposit of ours. */
  isOurs(reference: DepositReference): Promise<boolean>;
}

/** As many as are likely to be under way at once. */
const MAX_BATCH = 500;

/** Reads in turns: events that ask while a question is under way share the next. */
export function createStoredReader(db: Database): StoredReader {
  const share = <Result>(read: (ids: readonly string[]) => Promise<readonly Result[]>) =>
    new GroupCommit<string, Result>({
      commit: read,
      isFaultOfOne: () => false,
      maxBatch: MAX_BATCH,
    });
  const payloads = share((ids) => readStripePayloads(db, ids));
  const failedRefunds = share((ids) => haveFailedRefunds(db, ids));
  return {
    async payload(id) {
      const payload = await payloads.add(id);
      if (payload === null) throw new Error(`there is no event ${id}`);
      return payload;
    },
    hasFailedRefund: (paymentIntentId) => failedRefunds.add(paymentIntentId),
    isOurs: (reference) => hasDeposit(db, reference),
  };
}
