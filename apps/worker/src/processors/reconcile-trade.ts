import { findOrder, type StoredOrder } from '@gatehouse/db/orders';
import type { Broker } from '@gatehouse/domain/broker';
import { isTerminal } from '@gatehouse/domain/order';
import { reconcileTrade } from '@gatehouse/jobs/definitions/reconcile-trade';
import { type JobContext, type JobProcessor, processJob } from '../processor.ts';
import { reach, submitOrder, unlessBrokerIsAway } from '../trading/ask-broker.ts';
import type { OutsideParts } from '../trading/execute-outside.ts';
import { type Outcome, UNKNOWN } from '../trading/outcome.ts';
import { recordOutcome } from '../trading/record-outcome.ts';

/**
 * Looks what became of an order at a broker outside. While it is open this owes the next look: such an order is a debt
 * until it is over.
 */
export function createReconcileTrade({ db, ledger, broker }: OutsideParts): JobProcessor {
  return processJob(reconcileTrade, async ({ orderId, accountId }, context) => {
    const order = await findOrder(db, accountId, orderId);
    if (order === null) throw new Error(`account ${accountId} has no order ${orderId}`);
    if (order.broker === null || isTerminal(order.status)) {
      await context.settle(async () => undefined);
      return;
    }
    const outcome = await look(reach(broker, order.broker), order, context);
    if (outcome === null) return;
    const { requestId, settle } = context;
    const answered = { orderId, accountId, outcome, at: new Date(), requestId };
    await settle((tx) => recordOutcome(tx, ledger, answered));
  });
}

/** Null when this run is not the one that the job is owed. */
async function look(
  broker: Broker,
  order: StoredOrder,
  { signal, log, isOwed }: JobContext,
): Promise<Outcome | null> {
  const report = await unlessBrokerIsAway(() => broker.find(order.id, signal));
  if (report !== null) return { kind: 'reported', report };
  if (order.brokerOrderId !== null) {
    log.warn({ orderId: order.id }, 'the broker does not find an order that it had');
    return UNKNOWN;
  }
  // It may still come: the first request may be on its way. Asking again is safe only under an id that is recognised.
  if (!broker.capabilities.dedupesClientOrderId) return UNKNOWN;
  return (await isOwed()) ? submitOrder(broker, order, { signal, log }) : null;
}
