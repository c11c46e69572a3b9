import type { Queryable } from './client.ts';

/** One that may still be paid. */
export interface UnsettledDeposit {
  id: string;
  paymentIntentId: string;
}

/** Of a deposit that was heard of less long ago, the events may still be on their way. */
const QUIET_MINUTES = 10;
/** Nobody pays a deposit that is older: most were given up by whoever began them. */
const ASKED_DAYS = 30;

/**
 * Deposits that may still be paid, of all accounts, and were not heard of for ten minutes: those that Stripe was not asked
 * about for longest first. Ones that were begun more than 30 days ago are left out.
 */
export async function listUnsettledDeposits(
  db: Queryable,
  limit: number,
): Promise<UnsettledDeposit[]> {
  return db.$queryRaw`
    SELECT id, payment_intent_id AS "paymentIntentId" FROM deposit
    WHERE status IN ('pending', 'failed') AND updated_at < now() - make_interval(mins => ${QUIET_MINUTES})
      AND created_at > now() - make_interval(days => ${ASKED_DAYS})
    ORDER BY asked_at NULLS FIRST LIMIT ${limit}`;
}

/** Writes down that Stripe was asked about them, whatever came of it: now it is the others' turn. */
export async function stampAsked(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.$executeRaw`UPDATE deposit SET asked_at = now() WHERE id = ANY(${ids}::uuid[])`;
}
