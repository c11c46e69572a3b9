import { expect, test } from 'vitest';
import { parseOrder } from '../src/alpaca/order.ts';
import { orderOf } from './parts.ts';

test.each([
  ['new', 'open'],
  ['accepted', 'open'],
  ['pending_new', 'open'],
  ['accepted_for_bidding', 'open'],
  ['held', 'open'],
  ['calculated', 'open'],
  ['stopped', 'open'],
  ['suspended', 'open'],
  ['pending_cancel', 'open'],
  ['pending_replace', 'open'],
  ['partially_filled', 'open'],
  ['done_for_day', 'open'],
  ['filled', 'filled'],
  ['canceled', 'canceled'],
  ['replaced', 'canceled'],
  ['expired', 'expired'],
  ['rejected', 'rejected'],
])('an order that is %s there is %s here', (status, here) => {
  expect(parseOrder(orderOf('a', { status }))?.order.status).toBe(here);
});

test('quantities and prices keep every digit', () => {
  const filled = { qty: '12.000001', filled_qty: '12.000001', filled_avg_price: '187.4233331' };
  const { order, quantity } = parseOrder(orderOf('a', filled)) ?? {};
  expect([quantity, order?.filledQuantity, order?.averageFillPrice].map(String)).toEqual([
    '12.000001',
    '12.000001',
    '187.4233331',
  ]);
});

test('an order that is not filled has no average price', () => {
  expect(parseOrder(orderOf('a', { filled_avg_price: '0' }))?.order.averageFillPrice).toBeNull();
});

test.each<[what: string, body: unknown]>([
  ['nothing', undefined],
  ['a list', [orderOf('a')]],
  ['no id', orderOf('a', { id: undefined })],
  ['an unknown status', orderOf('a', { status: 'melted' })],
  ['a status that every object has', orderOf('a', { status: 'constructor' })],
  ['a quantity that is a number', orderOf('a', { filled_qty: 3 })],
  ['a negative quantity', orderOf('a', { filled_qty: '-3' })],
  ['an exponent', orderOf('a', { filled_qty: '3e2' })],
  ['a fill without a price', orderOf('a', { filled_qty: '3' })],
])('%s is no order', (_, body) => {
  expect(parseOrder(body)).toBeNull();
});
