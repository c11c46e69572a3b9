import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  findDeposit,
  insertDeposit,
  listDeposits,
  lockDeposit,
  mayCreatePayment,
} from '../src/deposits.ts';
import { listUnsettledDeposits, stampAsked } from '../src/unsettled-deposits.ts';
import { begin, hear, newDeposit, paymentOf } from './paying.ts';

async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db, { cash: '0' });
  return { db, accountId };
}

test('a deposit is inserted as one that is being made', async () => {
  const { db, accountId } = await setUp();
  const wanted = newDeposit(accountId);
  const inserted = await db.$transaction((tx) => insertDeposit(tx, wanted));
  expect(inserted).toMatchObject({
    ...wanted,
    status: 'creating',
    paymentIntentId: null,
    receivedAmount: 0,
    disputes: [],
    succeededAt: null,
  });
  expect(await findDeposit(db, accountId, wanted.id)).toEqual(inserted);
});

test("a deposit in another currency than the account's is refused", async () => {
  const { db, accountId } = await setUp();
  const foreign = newDeposit(accountId, { currency: 'eur' });
  await expect(db.$transaction((tx) => insertDeposit(tx, foreign))).rejects.toMatchObject({
    name: 'WrongCurrency',
  });
  expect(await db.deposit.count()).toBe(0);
});

test('deposits are found and listed for their own account, newest first', async () => {
  const { db, accountId } = await setUp();
  const ids = [];
  for (let count = 0; count < 3; count += 1) ids.unshift(await begin(db, newDeposit(accountId)));
  const { accountId: stranger } = await createTestAccount(db);
  const first = await listDeposits(db, accountId, { limit: 2 });
  expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(first.hasMore).toBe(true);
  const cursor = first.nextCursor ?? undefined;
  const rest = await listDeposits(db, accountId, { limit: 2, cursor });
  expect([rest.data.map(({ id }) => id), rest.hasMore]).toEqual([ids.slice(2), false]);
  expect((await listDeposits(db, stranger, { limit: 2 })).data).toEqual([]);
  const [id = ''] = ids;
  expect((await findDeposit(db, accountId, id))?.id).toBe(id);
  expect(await findDeposit(db, stranger, id)).toBeNull();
});

test('a deposit is locked by its id or its payment, and nothing else is found', async () => {
  const { db, accountId } = await setUp();
  const id = await begin(db, newDeposit(accountId));
  await hear(db, id, { disputes: [{ id: 'dp', amount: 5, status: 'open' }] });
  const lock = (by: Parameters<typeof lockDeposit>[1]) =>
    db.$transaction((tx) => lockDeposit(tx, by));
  const locked = await lock({ id });
  expect(locked).toMatchObject({ id, disputes: [{ id: 'dp', amount: 5, status: 'open' }] });
  expect(await lock({ paymentIntentId: paymentOf(id) })).toEqual(locked);
  for (const unknown of [newId(), '', 'x', `${id} `, '\u0000', "' OR 1=1"]) {
    expect(await lock({ id: unknown })).toBeNull();
    expect(await lock({ paymentIntentId: unknown })).toBeNull();
  }
});

test('those that may still be paid are given in turns, for 30 days', async () => {
  const { db, accountId } = await setUp();
  const statuses = ['creating', 'pending', 'failed', 'canceled', 'succeeded'] as const;
  const ids: string[] = [];
  for (const status of statuses) {
    const id = await begin(db, newDeposit(accountId));
    if (status !== 'creating') await hear(db, id, { status });
    if (status === 'pending' || status === 'failed') ids.push(id);
  }
  const listed = async (limit = 10) => (await listUnsettledDeposits(db, limit)).map(({ id }) => id);
  expect(await listed()).toEqual([]);
  await db.$executeRaw`UPDATE deposit SET updated_at = now() - interval '11 minutes'`;
  expect((await listed()).sort()).toEqual(ids);
  const [first = ''] = await listed(1);
  await stampAsked(db, [first]);
  const [second = ''] = await listed(1);
  expect([first, second].sort()).toEqual(ids);
  await stampAsked(db, [second]);
  expect(await listed()).toEqual([first, second]);
  await db.$executeRaw`UPDATE deposit SET created_at = now() - interval '31 days' WHERE id = ${first}::uuid`;
  expect(await listed()).toEqual([second]);
});

test('whether a payment may be asked for is judged by the clock of the database alone', async () => {
  const { db, accountId } = await setUp();
  onTestFinished(() => void vi.useRealTimers());
  for (const hours of [-48, 48]) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 });
    const id = await begin(db, newDeposit(accountId));
    expect(await mayCreatePayment(db, id)).toBe(true);
    // Cut off, since the column would round it, and perhaps to a time that is still to come.
    await db.$executeRaw`
      UPDATE deposit SET created_at = date_trunc('milliseconds', now()) - interval '23 hours' WHERE id = ${id}::uuid`;
    expect(await mayCreatePayment(db, id)).toBe(false);
    vi.useRealTimers();
  }
  expect(await mayCreatePayment(db, newId())).toBe(false);
});
