import type { DepositWish, OrderWish, TaskWish } from './history.ts';
import type { Random } from './random.ts';

const SYMBOLS = ['AAPL', 'MSFT', 'NVDA', 'AMZN', 'TSLA', 'BRK.B'] as const;
/** A task falls due while faults are injected. */
const DUE_MS = { least: 200, most: 3_000 } as const;

/** In cents: what may be refunded of it is less. */
const LEAST_DEPOSIT = 10_000;

/** Makes what clients ask for. No two wishes of a run are alike, so each effect can be told whose it is. */
export interface Wishes {
  /** Mostly small market orders, which are filled at once. */
  order(): OrderWish;
  /** One that nothing fills: it rests until it is canceled. */
  restingOrder(): OrderWish;
  smallOrder(): OrderWish;
  task(): TaskWish;
  deposit(): DepositWish;
  key(): string;
}

export function createWishes(random: Random): Wishes {
  let number = 0;
  const quantity = (whole: number): string =>
    `${whole}.${`${++number}`.padStart(6, '0').slice(-6)}`;
  const named = (order: OrderWish): OrderWish =>
    // The others show that the key alone is enough: a `clientOrderId` would stop a second order by itself.
    random.chance(0.5) ? { ...order, clientOrderId: `order-${order.quantity}` } : order;
  const market = (side: OrderWish['side'], whole: number): OrderWish =>
    named({
      symbol: random.pick(SYMBOLS),
      side,
      type: 'market',
      quantity: quantity(whole),
      timeInForce: random.pick(['day', 'gtc']),
    });
  return {
    order() {
      // More than the market shows at once: the rest is filled by the rounds over resting orders.
      if (random.chance(0.04)) return market('buy', random.integer(6_000, 12_000));
      return market(random.chance(0.1) ? 'sell' : 'buy', random.integer(1, 5));
    },
    restingOrder: () =>
      named({
        symbol: random.pick(SYMBOLS),
        side: 'buy',
        type: 'limit',
        limitPrice: '1.00',
        quantity: quantity(1),
        timeInForce: 'gtc',
      }),
    smallOrder: () => market('buy', 1),
    task: () => ({
      title: `task ${++number}`,
      dueAt: new Date(Date.now() + random.integer(DUE_MS.least, DUE_MS.most)).toISOString(),
    }),
    deposit: () => ({ amount: LEAST_DEPOSIT + ++number, currency: 'usd' }),
    key: () => `key-${++number}`,
  };
}
