import { expect, it } from 'vitest';
import { depositView } from '../src/deposit-view.ts';

const deposit = {
  id: '019aa0e2-6ff5-7000-8000-000000000000',
  amount: 10_000,
  currency: 'usd',
  status: 'succeeded',
  paymentIntentId: 'pi_1',
  receivedAmount: 10_000,
  refundedAmount: 5_000,
  failedRefundAmount: 2_000,
  disputes: [
    { id: 'a', amount: 100, status: 'open' },
    { id: 'b', amount: 20, status: 'lost' },
    { id: 'c', amount: 3, status: 'won' },
  ],
  createdAt: new Date('2026-11-20T08:00:00.000Z'),
  updatedAt: new Date('2026-11-20T08:00:02.050Z'),
  succeededAt: new Date('2026-11-20T08:00:01.000Z'),
} as const;

it('shows what came, what went back and what is disputed, and not whose it is', () => {
  expect(depositView({ ...deposit, ...{ accountId: 'a' } })).toEqual({
    id: deposit.id,
    status: 'succeeded',
    amount: 10_000,
    currency: 'usd',
    paymentIntentId: 'pi_1',
    receivedAmount: 10_000,
    refundedAmount: 3_000,
    disputedAmount: 120,
    createdAt: '2026-11-20T08:00:00.000Z',
    updatedAt: '2026-11-20T08:00:02.050Z',
    succeededAt: '2026-11-20T08:00:01.000Z',
  });
});

it('shows a deposit of which nothing is known, and a failed refund before the refund', () => {
  const shown = depositView({
    ...deposit,
    status: 'creating',
    refundedAmount: 0,
    paymentIntentId: null,
    succeededAt: null,
  });
  expect(shown).toMatchObject({ refundedAmount: 0, paymentIntentId: null, succeededAt: null });
});
