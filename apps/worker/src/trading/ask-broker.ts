import type { StoredOrder } from '@gatehouse/db/orders';
import {
  type Broker,
  type BrokerOrderRequest,
  BrokerRejection,
  BrokerUnavailable,
  OutcomeUnknown,
} from '@gatehouse/domain/broker';
import { orderTerms } from '@gatehouse/domain/order';
import type { Logger } from 'pino';
import { NotYet } from '../not-yet.ts';
import { type Outcome, UNKNOWN } from './outcome.ts';

/** Milliseconds until it is worth another look whether this worker, or another, has access to a broker. */
const NO_ACCESS_RETRY_MS = 10_000;

/**
 * The broker outside of this name.
 *
 * @throws {NotYet} when this worker has no access to it
 */
export function reach(broker: Broker | null, name: string): Broker {
  if (broker?.name === name) return broker;
  throw new NotYet(
    `there is no access to the broker ${name}: its keys are not set`,
    NO_ACCESS_RETRY_MS,
  );
}

/**
 * Gives the broker an order under our id. May be done more than once when the broker dedupes; then it answers with
 * the order that it has.
 *
 * @throws {NotYet} when the broker is away, and nothing was done
 */
export async function submitOrder(
  broker: Broker,
  order: StoredOrder,
  { signal, log }: { signal: AbortSignal; log: Logger },
): Promise<Outcome> {
  try {
    const request = toRequest(order);
    return {
      kind: 'reported',
      report: await unlessBrokerIsAway(() => broker.submit(request, signal)),
    };
  } catch (error) {
    if (error instanceof BrokerRejection) {
      log.warn({ err: error, orderId: order.id }, 'the broker does not take an order');
      return { kind: 'refused' };
    }
    if (error instanceof OutcomeUnknown) {
      log.warn({ err: error, orderId: order.id }, 'nobody knows whether the broker has an order');
      return UNKNOWN;
    }
    throw error;
  }
}

/** Asks a broker, or a source of quotes, for something. @throws {NotYet} when it is away, and nothing was done */
export async function unlessBrokerIsAway<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof BrokerUnavailable)) throw error;
    throw new NotYet(error.message, error.retryInMs, { cause: error });
  }
}

function toRequest(order: StoredOrder): BrokerOrderRequest {
  const { id, symbol, side, quantity, timeInForce, positionType } = order;
  const terms = orderTerms(order.type, order.limitPrice);
  return { ...terms, clientOrderId: id, symbol, side, quantity, timeInForce, positionType };
}
