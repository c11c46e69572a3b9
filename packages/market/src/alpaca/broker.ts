import {
  type Broker,
  type BrokerOrder,
  type BrokerOrderRequest,
  BrokerRejection,
  BrokerUnavailable,
  OutcomeUnknown,
} from '@gatehouse/domain/broker';
import { formatMoney, formatQuantity } from '@gatehouse/domain/decimal';
import type { AlpacaAnswer, AlpacaClient } from './client.ts';
import { type PlacedOrder, parseOrder } from './order.ts';
import { isAboutTheRequest, reasonOf, unexpected } from './refusal.ts';

/** Its wording has changed over the years, and its code 40010001 is that of other bad requests as well. */
const DUPLICATE = /client[\s_-]?order[\s_-]?id must be unique/i;

/** Milliseconds until another look at an answer that makes no sense. */
const NONSENSE_RETRY_MS = 10_000;

/** Alpaca's Trading API v2 as a broker. Errors are those of {@link Broker} and {@link AlpacaClient}; a plain one is a wrong setting. */
export function createAlpacaBroker(client: AlpacaClient): Broker {
  async function find(clientOrderId: string, signal: AbortSignal): Promise<PlacedOrder | null> {
    const path = `/v2/orders:by_client_order_id?client_order_id=${encodeURIComponent(clientOrderId)}`;
    const answer = await client.call({ method: 'GET', path }, signal);
    if (answer.status === 404 && isAboutTheRequest(answer)) return null;
    if (!isSuccess(answer)) throw unexpected(answer, 'the question for an order');
    const placed = parseOrder(answer.body);
    if (placed?.order.clientOrderId === clientOrderId) return placed;
    throw new BrokerUnavailable(
      `Alpaca answered ${answer.status} with something that is not the order`,
      NONSENSE_RETRY_MS,
    );
  }

  /** The order under an id that Alpaca has already: ours, unless somebody else uses its account under our ids. */
  async function findDuplicate(
    request: BrokerOrderRequest,
    signal: AbortSignal,
  ): Promise<BrokerOrder> {
    const placed = await find(request.clientOrderId, signal).catch((error: unknown) => {
      throw new OutcomeUnknown('Alpaca has the order and could not be asked for it', {
        cause: error,
      });
    });
    if (placed === null) throw new OutcomeUnknown('Alpaca has the order and does not find it');
    if (isSameOrder(placed, request)) return placed.order;
    throw new Error(
      `Alpaca has another order under ${request.clientOrderId}: ${placed.side} ${placed.quantity} ${placed.symbol}`,
    );
  }

  return {
    name: 'alpaca',
    capabilities: { dedupesClientOrderId: true },

    async submit(request, signal) {
      if (request.positionType !== 'stock') {
        throw new BrokerRejection(`Alpaca is not asked for a ${request.positionType}: stocks only`);
      }
      const body = submission(request);
      const answer = await client.call({ method: 'POST', path: '/v2/orders', body }, signal);
      if (isSuccess(answer)) {
        const placed = parseOrder(answer.body);
        if (placed?.order.clientOrderId === request.clientOrderId) return placed.order;
        throw new OutcomeUnknown(
          `Alpaca answered ${answer.status} with something that is not the order`,
        );
      }
      const reason = reasonOf(answer);
      if (reason !== null && answer.status === 422) {
        if (DUPLICATE.test(reason)) return findDuplicate(request, signal);
        throw new BrokerRejection(reason);
      }
      if (reason !== null && answer.status === 403 && isAboutTheRequest(answer)) {
        throw new BrokerRejection(reason);
      }
      throw unexpected(answer, 'an order');
    },

    async find(clientOrderId, signal) {
      const placed = await find(clientOrderId, signal);
      return placed?.order ?? null;
    },

    async cancel(brokerOrderId, signal) {
      const path = `/v2/orders/${encodeURIComponent(brokerOrderId)}`;
      const answer = await client.call({ method: 'DELETE', path }, signal);
      // It is over already (422), or was never there (404): there is nothing to cancel.
      if (isSuccess(answer) || answer.status === 404 || answer.status === 422) return;
      throw unexpected(answer, 'a cancellation');
    },
  };
}

function isSuccess({ status }: AlpacaAnswer): boolean {
  return status >= 200 && status < 300;
}

function submission(request: BrokerOrderRequest) {
  return {
    symbol: request.symbol,
    qty: formatQuantity(request.quantity),
    side: request.side,
    type: request.type,
    time_in_force: request.timeInForce,
    ...(request.type === 'limit' && { limit_price: formatMoney(request.limitPrice) }),
    client_order_id: request.clientOrderId,
  };
}

function isSameOrder(placed: PlacedOrder, { symbol, side, quantity }: BrokerOrderRequest): boolean {
  return placed.symbol === symbol && placed.side === side && placed.quantity?.eq(quantity) === true;
}
