import type { DepositFacts } from '@gatehouse/domain/deposit';
import { depositView } from '@gatehouse/domain/deposit-view';
import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, onTestFinished, test } from 'vitest';
import { findAccount } from '../src/accounts.ts';
import type { Database } from '../src/client.ts';
import { applyDepositFacts } from '../src/deposit-facts.ts';
import { findDeposit, lockDeposit } from '../src/deposits.ts';
import { listLedgerEntries } from '../src/ledger.ts';
import { acceptOrders } from '../src/order-acceptance.ts';
import { openTradeBooks } from '../src/trade-books.ts';
import { begin, expectInvariants, funds, hear, newDeposit, paymentOf } from './paying.ts';
import { acceptance } from './trading.ts';

async function setUp({ cash = '0' } = {}) {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db, { cash });
  return { db, accountId, depositId: await begin(db, newDeposit(accountId)) };
}

const PAID: DepositFacts = { status: 'succeeded', receivedAmount: 10_000 };
const dispute = (status: 'open' | 'lost' | 'won', amount: number, id = 'dp'): DepositFacts => ({
  disputes: [{ id, amount, status }],
});

const typesOf = async (db: Database) =>
  (await db.event.findMany({ orderBy: { id: 'asc' } })).map(({ type }) => type);

test('a payment is posted once, and its owner is told what came of it', async () => {
  const { db, accountId, depositId } = await setUp();
  const created = await hear(db, depositId, { status: 'pending' });
  expect(created).toMatchObject({ news: ['deposit.created'], movements: [] });
  const paid = await hear(db, depositId, PAID);
  expect(paid).toMatchObject({
    before: { status: 'pending', succeededAt: null },
    deposit: { status: 'succeeded', receivedAmount: 10_000 },
    movements: [{ kind: 'deposit', amount: 10_000, disputeId: null }],
    news: ['deposit.succeeded'],
  });
  expect(paid.deposit.succeededAt).toEqual(paid.deposit.updatedAt);
  const again = await hear(db, depositId, PAID);
  expect(again).toMatchObject({ movements: [], news: [], deposit: paid.deposit });
  expect(await findDeposit(db, accountId, depositId)).toEqual(paid.deposit);
  expect(await funds(db, accountId)).toEqual({ cash: '100.00', owed: '0.00' });

  const events = await db.event.findMany({ orderBy: { id: 'asc' } });
  expect(events.map(({ type, data, requestId }) => ({ type, data, requestId }))).toEqual([
    { type: 'deposit.created', data: depositView(created.deposit), requestId: 'request' },
    { type: 'deposit.succeeded', data: depositView(paid.deposit), requestId: 'request' },
  ]);
  const movement = await db.depositMovement.findFirstOrThrow();
  const entries = (await listLedgerEntries(db, accountId, { limit: 10 })).data;
  expect(
    entries
      .filter(({ referenceId }) => referenceId === movement.id)
      .map(({ kind, ledger, amount }) => [kind, ledger, amount.toFixed()])
      .sort(),
  ).toEqual([
    ['deposit', 'cash', '100'],
    ['deposit', 'equity', '-100'],
  ]);
  await expectInvariants(db);
});

test('twenty at once tell the same of one deposit: it is posted once', async () => {
  const { db, accountId, depositId } = await setUp();
  const heard = await Promise.all(Array.from({ length: 20 }, () => hear(db, depositId, PAID)));
  expect(heard.filter(({ movements }) => movements.length > 0)).toHaveLength(1);
  expect(heard.flatMap(({ news }) => news)).toEqual(['deposit.created', 'deposit.succeeded']);
  expect(await funds(db, accountId)).toEqual({ cash: '100.00', owed: '0.00' });
  await expectInvariants(db);
});

test('money that went back beyond the cash is owed, and paid by what comes in next', async () => {
  const { db, accountId, depositId } = await setUp({ cash: '20.00' });
  await hear(db, depositId, PAID);
  await hear(db, depositId, { refundedAmount: 10_000 });
  expect(await funds(db, accountId)).toEqual({ cash: '20.00', owed: '0.00' });
  await hear(db, depositId, dispute('open', 5_000));
  expect(await funds(db, accountId)).toEqual({ cash: '0.00', owed: '30.00' });
  await hear(db, depositId, dispute('lost', 5_000));
  expect(await funds(db, accountId)).toEqual({ cash: '0.00', owed: '30.00' });
  await expectInvariants(db);

  const small = await begin(db, newDeposit(accountId, { amount: 1_000 }));
  await hear(db, small, { status: 'succeeded', receivedAmount: 1_000 });
  expect(await funds(db, accountId)).toEqual({ cash: '0.00', owed: '20.00' });
  const large = await begin(db, newDeposit(accountId, { amount: 2_501 }));
  await hear(db, large, { status: 'succeeded', receivedAmount: 2_501 });
  expect(await funds(db, accountId)).toEqual({ cash: '5.01', owed: '0.00' });
  const told = await db.event.findMany({
    where: { accountId, type: 'account.owed_changed' },
    orderBy: { insertion: 'asc' },
  });
  const currency = 'USD';
  expect(told.map(({ data, requestId }) => ({ data, requestId }))).toEqual([
    { data: { currency, cash: '0.00', owed: '30.00' }, requestId: 'request' },
    { data: { currency, cash: '0.00', owed: '20.00' }, requestId: 'request' },
    { data: { currency, cash: '5.01', owed: '0.00' }, requestId: 'request' },
  ]);
  await expectInvariants(db);
});

test('a refund that failed and a dispute that was won bring the money back', async () => {
  const { db, accountId, depositId } = await setUp();
  await hear(db, depositId, PAID);
  await hear(db, depositId, { refundedAmount: 4_000 });
  await hear(db, depositId, { failedRefundAmount: 4_000 });
  await hear(db, depositId, dispute('open', 10_000));
  expect(await funds(db, accountId)).toEqual({ cash: '0.00', owed: '0.00' });
  await hear(db, depositId, dispute('won', 10_000));
  expect(await funds(db, accountId)).toEqual({ cash: '100.00', owed: '0.00' });
  expect(await typesOf(db)).toEqual([
    'deposit.created',
    'deposit.succeeded',
    'deposit.refunded',
    'deposit.refund_failed',
    'deposit.dispute_opened',
    'deposit.dispute_won',
  ]);
  await expectInvariants(db);
});

test('cash that an order at a broker holds is not taken: it is owed instead', async () => {
  const { db, accountId, depositId } = await setUp();
  await hear(db, depositId, PAID);
  const { order, job, record } = acceptance(accountId, {
    type: 'limit',
    limitPrice: '7.00',
    quantity: '10',
  });
  await acceptOrders(db, [{ order, job, record }]);
  await db.job.deleteMany({ where: { subjectId: order.id } });
  const data = { status: 'submitted', broker: 'paper' } as const;
  await db.order.update({ where: { id: order.id }, data });
  await hear(db, depositId, { refundedAmount: 5_000 });
  expect(await funds(db, accountId)).toEqual({ cash: '70.00', owed: '20.00' });
  await expectInvariants(db);
});

test('who is told of a payment before the answer to its creation knows it from then on', async () => {
  const { db, depositId } = await setUp();
  const early = await hear(db, depositId, { refundedAmount: 500 });
  expect(early.deposit).toMatchObject({ status: 'pending', paymentIntentId: paymentOf(depositId) });
  expect(early.movements).toEqual([]);
  expect((await hear(db, depositId, { status: 'pending' })).news).toEqual([]);
  expect((await hear(db, depositId, PAID)).movements.map(({ kind }) => kind)).toEqual([
    'deposit',
    'refund',
  ]);
  await expectInvariants(db);
});

test('what belongs to another payment or another deposit is refused, and nothing is written', async () => {
  const { db, accountId, depositId } = await setUp();
  await hear(db, depositId, { ...PAID, ...dispute('open', 100) });
  const other = await begin(db, newDeposit(accountId));
  await expect(hear(db, other, { ...PAID, ...dispute('lost', 100) })).rejects.toThrow(/another/);
  const asAnother = db.$transaction(async (tx) => {
    const locked = await lockDeposit(tx, { id: depositId });
    if (locked === null) throw new Error('the deposit is gone');
    const hearing = { paymentIntentId: 'pi_other', at: new Date(), requestId: null };
    return applyDepositFacts(tx, locked, { refundedAmount: 1 }, hearing);
  });
  await expect(asAnother).rejects.toThrow(/pi_other/);
  expect(await findDeposit(db, accountId, other)).toMatchObject({ status: 'creating' });
  expect(await funds(db, accountId)).toEqual({ cash: '99.00', owed: '0.00' });
  await expectInvariants(db);
});

/** The values in an order that the seed gives (a linear congruential generator). */
function shuffled<T>(values: readonly T[], seed: number): T[] {
  let state = seed + 1;
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
  for (let warm = 0; warm < 5; warm += 1) next();
  return values
    .map((value) => ({ value, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

test('a lifecycle ends alike in any order, with duplicates, and many at a time', async () => {
  const { db } = await setUp();
  const lifecycle: DepositFacts[] = [
    { status: 'failed' },
    PAID,
    { refundedAmount: 3_000 },
    { refundedAmount: 5_000 },
    { failedRefundAmount: 2_000 },
    dispute('open', 9_000),
    dispute('lost', 9_000),
  ];
  for (let seed = 0; seed < 25; seed += 1) {
    const { accountId } = await createTestAccount(db, { cash: '1.00' });
    const id = await begin(db, newDeposit(accountId));
    const own = lifecycle.map(({ disputes, ...facts }) => ({
      ...facts,
      ...(disputes && { disputes: disputes.map((one) => ({ ...one, id: `${one.id}_${seed}` })) }),
    }));
    const order = shuffled([...own, ...own], seed);
    // Every fifth takes turns; the others come three at a time.
    const width = seed % 5 === 0 ? 1 : 3;
    for (let first = 0; first < order.length; first += width) {
      const together = order.slice(first, first + width);
      await Promise.all(together.map((facts) => hear(db, id, facts)));
      if (seed % 5 === 0) await expectInvariants(db);
    }
    expect(await funds(db, accountId), `seed ${seed}`).toEqual({ cash: '0.00', owed: '19.00' });
    const posted = await db.depositMovement.groupBy({
      by: ['kind'],
      where: { depositId: id },
      _sum: { amount: true },
      orderBy: { kind: 'asc' },
    });
    expect(posted.map(({ kind, _sum }) => [kind, _sum.amount])).toEqual([
      ['deposit', 10_000],
      ['refund', 5_000],
      ['refund_reversal', 2_000],
      ['dispute', 9_000],
    ]);
    await expectInvariants(db);
  }
}, 120_000);

test('deposits of one account and trades of it take turns without waiting in a circle', async () => {
  const { db, accountId } = await setUp();
  const { order, job, record } = acceptance(accountId);
  await acceptOrders(db, [{ order, job, record }]);
  const trade = () =>
    db.$transaction(async (tx) => {
      const ids = { orderId: order.id, accountId };
      const { cash } = (await openTradeBooks(tx, [ids])).accounts.get(accountId) ?? {};
      // Whoever has opened the books sees the money stand still.
      expect((await findAccount(tx, accountId)).cash.toFixed()).toBe(cash?.toFixed());
    });
  const ids = await Array.fromAsync({ length: 3 }, () =>
    begin(db, newDeposit(accountId, { id: newId() })),
  );
  await Promise.all(
    [...ids, ...ids, ...ids.toReversed()].flatMap((id) => [hear(db, id, PAID), trade()]),
  );
  expect(await funds(db, accountId)).toEqual({ cash: '300.00', owed: '0.00' });
  await expectInvariants(db);
});
