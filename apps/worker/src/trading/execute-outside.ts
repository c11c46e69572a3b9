import type { Database } from '@gatehouse/db/client';
import type { OrderRoute } from '@gatehouse/db/orders';
import type { Broker } from '@gatehouse/domain/broker';
import type { QuoteSource } from '@gatehouse/domain/quote';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import type { JobContext } from '../processor.ts';
import { reach, submitOrder } from './ask-broker.ts';
import { UNKNOWN } from './outcome.ts';
import { recordOutcome } from './record-outcome.ts';
import { priceToHold, takeOutside } from './take-outside.ts';

export interface OutsideParts {
  db: Database;
  ledger: JobLedger;
  quotes: QuoteSource;
  /** Null when this worker has no access to one. */
  broker: Broker | null;
}

/**
 * Takes an accepted order to a broker outside: the intent is committed first, then the broker is asked, then its
 * answer is committed together with the job. A run that finds the intent of one that died asks again, when the broker
 * recognises the order by our id; otherwise nobody knows, and reconcile-trade finds out.
 *
 * @throws {NotYet} when the broker is away: the order keeps its intent
 */
export async function executeOutside(
  { db, ledger, quotes, broker }: OutsideParts,
  ids: { orderId: string; accountId: string },
  route: OrderRoute & { broker: string },
  { requestId, signal, log, isOwed, settle }: JobContext,
): Promise<void> {
  const outside = reach(broker, route.broker);
  const arrivedAt = new Date();
  const holdPrice =
    route.status === 'accepted' ? await priceToHold(quotes, route, arrivedAt) : null;
  const taken = await takeOutside(db, ledger, {
    ...ids,
    broker: outside,
    holdPrice,
    at: arrivedAt,
    requestId,
  });
  if (taken === null) {
    await settle(async () => undefined);
    return;
  }
  if (!(await isOwed())) return;
  const mayAsk = taken.isFirst || outside.capabilities.dedupesClientOrderId;
  const outcome = mayAsk ? await submitOrder(outside, taken.order, { signal, log }) : UNKNOWN;
  const at = new Date();
  await settle((tx) => recordOutcome(tx, ledger, { ...ids, outcome, at, requestId }));
}
