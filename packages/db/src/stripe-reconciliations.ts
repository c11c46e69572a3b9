import { newId } from '@gatehouse/domain/id';
import type { Database, Queryable } from './client.ts';
import type { StripeReconciliation } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { StripeReconciliation } from './generated/client.ts';

/**
 * Seconds after which a round that has not ended is given up: longer than a run of a schedule may take. One that goes on
 * all the same does no harm, since all that it does may be done twice.
 */
const LEASE_SECONDS = 180;
const KEPT_DAYS = 30;

export interface BegunReconciliation {
  id: string;
  /** Events that were created before are known, by any round: seconds of the epoch. */
  seenUntil: number;
  /** By the database's clock: a worker whose own is ahead would skip events for good. */
  now: number;
}

/**
 * Begins a round, where the one before has left off. Null while another is under way, in whichever worker. A round whose
 * worker died blocks nobody for longer than its lease.
 *
 * @param firstDays how long ago the first round of all begins
 */
export async function beginReconciliation(
  db: Database,
  { firstDays }: { firstDays: number },
): Promise<BegunReconciliation | null> {
  return db.$transaction(async (tx) => {
    await tx.$executeRaw`LOCK TABLE stripe_reconciliation IN SHARE ROW EXCLUSIVE MODE`;
    await tx.$executeRaw`
      UPDATE stripe_reconciliation SET ended_at = now(), error = 'It did not come to its end: its worker may have died.'
      WHERE ended_at IS NULL AND started_at < now() - make_interval(secs => ${LEASE_SECONDS})`;
    const [begun] = await tx.$queryRaw<BegunReconciliation[]>`
      INSERT INTO stripe_reconciliation (id, seen_until)
      SELECT ${newId()}::uuid, COALESCE(
        (SELECT max(seen_until) FROM stripe_reconciliation),
        extract(epoch FROM now() - make_interval(days => ${firstDays}))::int)
      WHERE NOT EXISTS (SELECT 1 FROM stripe_reconciliation WHERE ended_at IS NULL)
      RETURNING id, seen_until AS "seenUntil", extract(epoch FROM now())::int AS now`;
    return begun ?? null;
  });
}

export interface ReconciliationProgress {
  /** Never past an event that was not stored. */
  seenUntil: number;
  /** So far. */
  eventsFound: number;
}

/** Writes down how far a round has come, so that the next need not begin before. Without effect when it was given up. */
export async function noteProgress(
  db: Queryable,
  id: string,
  { seenUntil, eventsFound }: ReconciliationProgress,
): Promise<void> {
  await db.$executeRaw`
    UPDATE stripe_reconciliation
    SET seen_until = GREATEST(seen_until, ${seenUntil}::int), events_found = ${eventsFound}
    WHERE id = ${id}::uuid AND ended_at IS NULL`;
}

export interface ReconciliationResult {
  depositsMended: number;
  /** Null when all was done. */
  error: string | null;
}

/** Writes down what came of a round. Without effect when it was given up meanwhile. */
export async function endReconciliation(
  db: Queryable,
  id: string,
  { depositsMended, error }: ReconciliationResult,
): Promise<void> {
  await db.$executeRaw`
    UPDATE stripe_reconciliation SET deposits_mended = ${depositsMended}, error = ${error}, ended_at = now()
    WHERE id = ${id}::uuid AND ended_at IS NULL`;
}

/** All rounds that are kept, newest first. */
export async function listReconciliations(
  db: Queryable,
  request: PageRequest,
): Promise<Page<StripeReconciliation>> {
  return toPage(await db.stripeReconciliation.findMany(pageArguments(request)), request);
}

/** Forgets rounds that began more than 30 days ago. */
export async function deleteOldReconciliations(db: Queryable): Promise<void> {
  await db.$executeRaw`
    DELETE FROM stripe_reconciliation WHERE started_at < now() - make_interval(days => ${KEPT_DAYS})`;
}
