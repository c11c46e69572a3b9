import type { BrokerOrder } from '@gatehouse/domain/broker';
import { decimal } from '@gatehouse/domain/decimal';
import { newId } from '@gatehouse/domain/id';
import { type OrderStatus, transition } from '@gatehouse/domain/order';
import { expect, test } from 'vitest';
import {
  executionIdOf,
  type Outcome,
  planOutcome,
  type ReportedOrder,
} from '../src/trading/outcome.ts';
import { reconcileDelayMs } from '../src/trading/reconcile-delay.ts';

const AT = new Date('2026-11-20T08:00:00.000Z');

type Filled = readonly (readonly [quantity: string, price: string])[];

/** A market order for 10 AAPL at the broker, with what is known of its fills. */
function order(
  status: OrderStatus,
  filled: Filled = [],
  changes: Partial<ReportedOrder> = {},
): ReportedOrder {
  const fills = filled.map(([quantity, price]) => ({
    quantity: decimal(quantity),
    price: decimal(price),
  }));
  const isArriving = status === 'accepted' || status === 'unknown';
  return {
    id: 'order',
    accountId: newId(),
    clientOrderId: null,
    symbol: 'AAPL',
    side: 'buy',
    type: 'market',
    quantity: decimal('10'),
    limitPrice: null,
    timeInForce: 'day',
    positionType: 'stock',
    status,
    filledQuantity: fills.reduce((sum, { quantity }) => sum.plus(quantity), decimal(0)),
    averageFillPrice: null,
    rejectCode: null,
    rejectReason: null,
    broker: 'alpaca',
    brokerOrderId: isArriving ? null : 'theirs',
    holdPrice: decimal('105'),
    version: 1,
    createdAt: AT,
    updatedAt: AT,
    cancelRequestedAt: null,
    submittedAt: null,
    filledAt: null,
    canceledAt: null,
    fills,
    ...changes,
  };
}

function report(
  status: BrokerOrder['status'],
  filledQuantity = '0',
  averageFillPrice: string | null = null,
  changes: Partial<BrokerOrder> = {},
): Outcome {
  return {
    kind: 'reported',
    report: {
      id: 'theirs',
      clientOrderId: 'order',
      status,
      filledQuantity: decimal(filledQuantity),
      averageFillPrice: averageFillPrice === null ? null : decimal(averageFillPrice),
      ...changes,
    },
  };
}

/** The plan in short: the path, then quantity and price of the fill. @throws when the path is not allowed */
function planned(before: ReportedOrder, outcome: Outcome): string {
  const { path, fill, rejectCode } = planOutcome(before, outcome);
  path.reduce<OrderStatus>(transition, before.status);
  const filled = fill ? ` ${fill.quantity.toFixed()} at ${fill.price.toFixed()}` : '';
  return `${path.join(' ')}${filled}${rejectCode ? ` ${rejectCode}` : ''}`.trim();
}

const SOME: Filled = [['4', '100']];
const P = 'partially_filled';

test.each<[string, ReportedOrder, Outcome, string]>([
  ['accepted, open', order('accepted'), report('open'), 'submitted'],
  ['accepted, part', order('accepted'), report('open', '4', '100'), `submitted ${P} 4 at 100`],
  ['accepted, all', order('accepted'), report('filled', '10', '100'), 'submitted filled 10 at 100'],
  ['accepted, over', order('accepted'), report('canceled'), 'submitted canceled'],
  [
    'accepted, part and over',
    order('accepted'),
    report('expired', '4', '100'),
    `submitted ${P} expired 4 at 100`,
  ],
  [
    'accepted, rejected later on',
    order('accepted'),
    report('rejected'),
    'submitted rejected broker_rejected',
  ],
  ['accepted, refused', order('accepted'), { kind: 'refused' }, 'rejected broker_rejected'],
  ['accepted, no answer', order('accepted'), { kind: 'unknown' }, 'unknown'],
  ['unknown, open', order('unknown'), report('open'), 'submitted'],
  ['unknown, all', order('unknown'), report('filled', '10', '99.5'), 'submitted filled 10 at 99.5'],
  ['unknown, refused', order('unknown'), { kind: 'refused' }, 'rejected broker_rejected'],
  ['unknown, no answer', order('unknown'), { kind: 'unknown' }, ''],
  ['submitted, open', order('submitted'), report('open'), ''],
  ['submitted, no answer', order('submitted'), { kind: 'unknown' }, ''],
  ['submitted, part', order('submitted'), report('open', '4', '100'), `${P} 4 at 100`],
  ['part, the same again', order(P, SOME), report('open', '4', '100'), ''],
  ['part, older', order(P, SOME), report('open', '3', '100'), ''],
  ['part, older and over', order(P, SOME), report('canceled', '3', '100'), ''],
  ['part, more', order(P, SOME), report('open', '8', '101'), `${P} 4 at 102`],
  ['part, the rest', order(P, SOME), report('filled', '10', '103'), 'filled 6 at 105'],
  ['part, canceled', order(P, SOME), report('canceled', '4', '100'), 'canceled'],
  [
    'part, more and canceled',
    order(P, SOME),
    report('canceled', '5', '100.2'),
    `${P} canceled 1 at 101`,
  ],
  [
    'all of it is filled, whatever it is called',
    order(P, SOME),
    report('canceled', '10', '100'),
    'filled 6 at 100',
  ],
  ['filled, the same again', order('filled', [['10', '100']]), report('filled', '10', '100'), ''],
  ['filled, older', order('filled', [['10', '100']]), report('open', '4', '100'), ''],
  ['canceled, older', order('canceled', SOME), report('open', '4', '100'), ''],
])('%s', (_, before, outcome, expected) => {
  expect(planned(before, outcome)).toBe(expected);
});

test.each<[string, ReportedOrder, Outcome, RegExp]>([
  [
    'more fills of an order that is over',
    order('canceled', SOME),
    report('filled', '10', '100'),
    /from canceled to filled/,
  ],
  [
    'the broker rejects what it has filled in part',
    order(P, SOME),
    report('rejected', '5', '100'),
    /from partially_filled to rejected/,
  ],
  [
    'filled, and not all of it',
    order('submitted'),
    report('filled', '9', '100'),
    /from submitted to filled/,
  ],
  ['more than was ordered', order('submitted'), report('filled', '10.000001', '100'), /more/],
  ['filled at no price', order('submitted'), report('filled', '10'), /at which price/],
  [
    'another order of ours',
    order('submitted'),
    report('open', '0', null, { clientOrderId: 'x' }),
    /is not order/,
  ],
  [
    'another order of theirs',
    order('submitted'),
    report('open', '0', null, { id: 'x' }),
    /x is not order/,
  ],
])('a contradiction is an error: %s', (_, before, outcome, message) => {
  expect(() => planned(before, outcome)).toThrow(message);
});

test('prices of parts have four decimals, and add up to what the broker says was paid', () => {
  // Two executions of 1 at 10.00 and one of 1 at 10.01: averages 10, 10 and 10.003333.
  const first = planOutcome(order('submitted'), report('open', '1', '10')).fill;
  expect(first?.price.toFixed()).toBe('10');
  const third = planOutcome(
    order(P, [
      ['1', '10'],
      ['1', '10'],
    ]),
    report('open', '3', '10.003333'),
  );
  expect(third.fill?.price.toFixed()).toBe('10.01');
  // What a rounded price was short of is in the next: 3 at 33.3333 are 99.9999 of 100.
  const next = planOutcome(order(P, [['3', '33.3333']]), report('open', '4', '33.333333'));
  expect(next.fill?.price.toFixed()).toBe('33.3334');
});

test('a rounded average never makes a fill worse than its limit, nor free', () => {
  const limit = { type: 'limit', limitPrice: decimal('100') } as const;
  const large = { quantity: decimal('1000001') };
  const filled: Filled = [['1000000', '100']];
  // Up to half of the last decimal times a million shares: all of it would fall on one share.
  const buy = planOutcome(
    order(P, filled, { ...limit, ...large }),
    report('filled', '1000001', '100.0000005'),
  );
  expect(buy.fill?.price.toFixed()).toBe('100');
  const sale = order(P, filled, { ...limit, ...large, side: 'sell' });
  expect(planOutcome(sale, report('filled', '1000001', '99.9999995')).fill?.price.toFixed()).toBe(
    '100',
  );
  const market = order(P, filled, large);
  expect(planOutcome(market, report('filled', '1000001', '99.999')).fill?.price.toFixed()).toBe(
    '0.0001',
  );
  // A better price than the limit is what it is.
  expect(planned(order('submitted', [], limit), report('filled', '10', '99'))).toBe(
    'filled 10 at 99',
  );
});

test('an execution is known by how much was filled with it', () => {
  const id = (quantity: string) => {
    const outcome = report('open', quantity, '1');
    return outcome.kind === 'reported' ? executionIdOf('alpaca', outcome.report) : '';
  };
  expect([id('4'), id('4.0'), id('10.5')]).toEqual([
    'alpaca-theirs-4',
    'alpaca-theirs-4',
    'alpaca-theirs-10.5',
  ]);
});

test('the looks at an order come soon after it was placed or asked to be canceled, then less often', () => {
  const after = (seconds: number, cancelAfter?: number) =>
    reconcileDelayMs(
      {
        createdAt: AT,
        cancelRequestedAt:
          cancelAfter === undefined ? null : new Date(AT.getTime() + cancelAfter * 1_000),
      },
      new Date(AT.getTime() + seconds * 1_000),
    );
  expect([-5, 0, 1, 4, 60, 120, 86_400].map((seconds) => after(seconds))).toEqual([
    500, 500, 500, 1_000, 15_000, 30_000, 30_000,
  ]);
  expect([3_600, 3_604, 7_200].map((seconds) => after(seconds, 3_600))).toEqual([
    500, 1_000, 30_000,
  ]);
});
