import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { decimal, formatQuantity } from '@gatehouse/domain/decimal';
import {
  type FakeOrder,
  fillOrder,
  isOpen,
  match,
  newOrder,
  orderBody,
  type Prices,
  readSubmission,
} from './alpaca-orders.ts';
import { listen } from './listen.ts';

/** `fail`: 500. `refuse`: 403, insufficient buying power. `busy`: 429 with `Retry-After: 1`. */
export type SubmitBehaviour =
  | 'accept'
  | 'hang before accepting'
  | 'hang after accepting'
  | 'fail before accepting'
  | 'fail after accepting'
  | 'refuse'
  | 'busy';

export interface FakeAlpaca {
  /** Of the trading API and of the data API. */
  url: string;
  /** Whoever has others is answered 401. */
  keys: { keyId: string; secretKey: string };
  /**
   * How the next submissions are met, in order; after that they are accepted. An id that it has is answered 422
   * whatever is said here, and uses nothing up.
   */
  onSubmit(...behaviours: SubmitBehaviour[]): void;
  /** Connections are accepted and requests never answered, not even when it has resumed. */
  hang(): void;
  resume(): void;
  /** `at once`: market orders and marketable limits are filled when accepted. `by hand`: by {@link fill} only. */
  filling: 'at once' | 'by hand';
  /** 99.90 and 100.00 where nothing is set, whatever the symbol. */
  setPrice(symbol: string, bid: string, ask: string): void;
  /** @throws past the quantity of the order, or when it is over */
  fill(clientOrderId: string, quantity: string, price: string): void;
  /** @throws when it is over */
  end(clientOrderId: string, status: 'canceled' | 'expired' | 'rejected'): void;
  orders(): readonly FakeOrderView[];
  /** How many submissions came in, whatever became of them. */
  submissions(): number;
  close(): Promise<void>;
}

export interface FakeOrderView {
  id: string;
  clientOrderId: string;
  symbol: string;
  side: string;
  type: string;
  quantity: string;
  filledQuantity: string;
  status: string;
}

type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'none';

const DEFAULT_PRICES: Prices = { bid: decimal('99.90'), ask: decimal('100.00') };
const NOT_FOUND: Answer = refusal(404, 40410000, 'order not found');
const FAILURE: Answer = refusal(500, 50010000, 'internal server error occurred');

function refusal(status: number, code: number, message: string): Answer {
  return { status, body: { code, message } };
}

/** As much of Alpaca's Trading API v2 and market data as Gatehouse uses, on a port of 127.0.0.1, in memory. */
export async function startFakeAlpaca(): Promise<FakeAlpaca> {
  const keys = {
    keyId: `PK${randomBytes(9).toString('hex').toUpperCase()}`,
    secretKey: randomBytes(20).toString('hex'),
  };
  const orders = new Map<string, FakeOrder>();
  const prices = new Map<string, Prices>();
  const behaviours: SubmitBehaviour[] = [];
  let isHanging = false;
  let submissions = 0;

  const pricesOf = (symbol: string) => prices.get(symbol) ?? DEFAULT_PRICES;
  const known = (clientOrderId: string): FakeOrder => {
    const order = orders.get(clientOrderId);
    if (!order) throw new Error(`no order has the id ${clientOrderId}`);
    return order;
  };

  function submit(body: string): Answer {
    let order: FakeOrder;
    try {
      order = newOrder(readSubmission(JSON.parse(body)));
    } catch (error) {
      return refusal(422, 42210000, error instanceof Error ? error.message : String(error));
    }
    if (orders.has(order.clientOrderId)) {
      return refusal(422, 40010001, 'client_order_id must be unique');
    }
    const behaviour = behaviours.shift() ?? 'accept';
    if (behaviour === 'hang before accepting') return 'none';
    if (behaviour === 'fail before accepting') return FAILURE;
    if (behaviour === 'refuse') return refusal(403, 40310000, 'insufficient buying power');
    if (behaviour === 'busy') {
      return { status: 429, headers: { 'retry-after': '1' }, body: { message: 'rate limit' } };
    }
    orders.set(order.clientOrderId, order);
    if (fake.filling === 'at once') match(order, pricesOf(order.symbol));
    if (behaviour === 'hang after accepting') return 'none';
    return behaviour === 'accept' ? { status: 200, body: orderBody(order) } : FAILURE;
  }

  function cancel(id: string): Answer {
    const order = [...orders.values()].find((one) => one.id === id);
    if (!order) return NOT_FOUND;
    if (!isOpen(order))
      return refusal(422, 42210000, `order is already in "${order.status}" state`);
    order.status = 'canceled';
    return { status: 204 };
  }

  function snapshot(symbol: string): Answer {
    const { bid, ask } = pricesOf(symbol);
    const [bp, ap, t] = [bid.toNumber(), ask.toNumber(), new Date().toISOString()];
    const latestQuote = { t, ax: 'V', ap, as: 300, bx: 'V', bp, bs: 200, c: ['R'], z: 'C' };
    const latestTrade = { t, x: 'V', p: ap, s: 100, c: ['@'], i: 1, z: 'C' };
    return { status: 200, body: { symbol, latestTrade, latestQuote } };
  }

  function route(method: string, { pathname, searchParams }: URL, body: string): Answer {
    const [, id = ''] = /^\/v2\/orders\/([^/]+)$/.exec(pathname) ?? [];
    const [, symbol] = /^\/v2\/stocks\/([^/]+)\/snapshot$/.exec(pathname) ?? [];
    if (method === 'POST' && pathname === '/v2/orders') return submit(body);
    if (method === 'DELETE' && id !== '') return cancel(id);
    if (method === 'GET' && pathname === '/v2/orders:by_client_order_id') {
      const order = orders.get(searchParams.get('client_order_id') ?? '');
      return order ? { status: 200, body: orderBody(order) } : NOT_FOUND;
    }
    if (method === 'GET' && symbol) return snapshot(decodeURIComponent(symbol));
    return refusal(404, 40410000, 'endpoint not found');
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const body = await text(request);
    const target = new URL(url, fake.url);
    if (method === 'POST' && target.pathname === '/v2/orders') submissions += 1;
    if (isHanging) return;
    const isKnown =
      headers['apca-api-key-id'] === keys.keyId &&
      headers['apca-api-secret-key'] === keys.secretKey;
    const answer = isKnown
      ? route(method, target, body)
      : refusal(401, 40110000, 'request is not authorized');
    if (answer === 'none') return;
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  }

  const server = createServer((request, response) => {
    // It fails only when a client gives up in the middle.
    respond(request, response).catch(() => response.destroy());
  });
  const port = await listen(server);

  const fake: FakeAlpaca = {
    url: `http://127.0.0.1:${port}`,
    keys,
    filling: 'at once',
    onSubmit: (...next) => {
      behaviours.push(...next);
    },
    hang: () => {
      isHanging = true;
    },
    resume: () => {
      isHanging = false;
    },
    setPrice: (symbol, bid, ask) => {
      prices.set(symbol, { bid: decimal(bid), ask: decimal(ask) });
    },
    fill: (clientOrderId, quantity, price) =>
      fillOrder(known(clientOrderId), decimal(quantity), decimal(price)),
    end: (clientOrderId, status) => {
      const order = known(clientOrderId);
      if (!isOpen(order)) throw new Error(`order ${clientOrderId} is ${order.status}`);
      order.status = status;
    },
    orders: () =>
      [...orders.values()].map(({ id, clientOrderId, symbol, side, type, status, ...order }) => ({
        id,
        clientOrderId,
        symbol,
        side,
        type,
        quantity: formatQuantity(order.quantity),
        filledQuantity: formatQuantity(order.filledQuantity),
        status,
      })),
    submissions: () => submissions,
    close: async () => {
      server.closeAllConnections();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    },
  };
  return fake;
}
