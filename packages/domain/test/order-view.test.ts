import { expect, test } from 'vitest';
import { decimal } from '../src/decimal.ts';
import { acceptedOrderView, OrderSchema, orderView } from '../src/order-view.ts';

const terms = {
  id: '019aa0e2-6ff5-7000-8000-000000000000',
  accountId: '019aa0e2-6ff5-7000-8000-000000000001',
  clientOrderId: null,
  symbol: 'AAPL',
  side: 'buy',
  type: 'limit',
  timeInForce: 'day',
  positionType: 'stock',
  createdAt: new Date('2026-11-20T08:00:00.000Z'),
} as const;

test('an order is shown with all of its members, decimals as text, and nothing that is ours alone', () => {
  const shown = orderView({
    ...terms,
    quantity: decimal('10.50'),
    limitPrice: decimal('187.4'),
    status: 'partially_filled',
    filledQuantity: decimal('0.000001'),
    averageFillPrice: decimal('187.4212'),
    rejectCode: null,
    rejectReason: null,
    brokerOrderId: 'theirs',
    version: 3,
    updatedAt: new Date('2026-11-20T08:00:02.050Z'),
    submittedAt: new Date('2026-11-20T08:00:01.000Z'),
    filledAt: null,
    canceledAt: null,
    ...{ broker: 'alpaca', holdPrice: decimal('190'), cancelRequestedAt: new Date() },
  });
  const { createdAt: _, accountId: __, ...kept } = terms;
  expect(shown).toEqual({
    ...kept,
    quantity: '10.5',
    limitPrice: '187.40',
    status: 'partially_filled',
    filledQuantity: '0.000001',
    averageFillPrice: '187.4212',
    rejectCode: null,
    rejectReason: null,
    brokerOrderId: 'theirs',
    version: 3,
    createdAt: '2026-11-20T08:00:00.000Z',
    updatedAt: '2026-11-20T08:00:02.050Z',
    submittedAt: '2026-11-20T08:00:01.000Z',
    filledAt: null,
    canceledAt: null,
  });
  expect(Object.keys(shown)).toEqual(Object.keys(OrderSchema.properties));
});

test('an order that was just accepted is the first version of itself, and nothing has become of it', () => {
  expect(acceptedOrderView({ ...terms, quantity: '3', limitPrice: '187.42' })).toMatchObject({
    status: 'accepted',
    quantity: '3',
    limitPrice: '187.42',
    filledQuantity: '0',
    version: 1,
    updatedAt: '2026-11-20T08:00:00.000Z',
    submittedAt: null,
  });
});
