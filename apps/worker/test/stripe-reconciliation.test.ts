import { findAccount } from '@gatehouse/db/accounts';
import type { Database } from '@gatehouse/db/client';
import {
  beginReconciliation,
  endReconciliation,
  listReconciliations,
  noteProgress,
} from '@gatehouse/db/stripe-reconciliations';
import { type Payments, PaymentUnreadable } from '@gatehouse/payments/payments';
import { HANDLED_EVENT_TYPES } from '@gatehouse/payments/read-event';
import { until } from '@gatehouse/testing/condition';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createReconcileStripe } from '../src/processors/reconcile-stripe.ts';
import { expectBalancedBooks } from './books.ts';
import { type StripeStack, startStripeStack } from './stripe.ts';

/** Nobody listens there. */
const NOWHERE = { url: 'http://127.0.0.1:9/webhooks/stripe', secret: 'whsec_test' };
const log = pino({ level: 'silent' });
const NO_STRIPE = { STRIPE_SECRET_KEY: '' };

/** Has a round done in this process. */
function reconcile({ db, ledger, payments }: StripeStack): Promise<void> {
  const { signal } = new AbortController();
  return createReconcileStripe({ db, ledger, payments }).run({ signal, log });
}

const rounds = async (db: Database) => (await listReconciliations(db, { limit: 20 })).data;
const cashOf = async (db: Database, accountId: string) =>
  (await findAccount(db, accountId)).cash.toFixed(2);

/** As if nothing had been heard of it for so long. */
async function age(db: Database, id: string, minutes: number): Promise<void> {
  const updatedAt = new Date(Date.now() - minutes * 60_000);
  await db.deposit.update({ where: { id }, data: { updatedAt } });
}

/** Those that Stripe is asked for. */
const handled = ({ stripe }: StripeStack) =>
  stripe.events().filter(({ type }) => HANDLED_EVENT_TYPES.includes(type));

test('a worker finds by itself what was dropped, and says so', async () => {
  const stack = await startStripeStack();
  const { db, stripe, smtp, deposit, startWorker, allSettled } = stack;
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  stripe.sendTo(NOWHERE);
  stripe.plan('all', 'dropped');
  const { paymentIntentId } = await deposit(accountId, 10_000);
  stripe.pay(paymentIntentId);
  stripe.refund(paymentIntentId, 4_000);
  const dropped = handled(stack).length;
  expect(dropped).toBe(3);
  await startWorker();
  const row = await until(
    () => db.stripeReconciliation.findFirst({ where: { NOT: { endedAt: null } } }),
    {
      what: 'a round to end',
      timeoutMs: 30_000,
    },
  );
  expect(row).toMatchObject({ eventsFound: dropped, depositsMended: 0, error: null });
  expect(Math.abs(row.seenUntil - Date.now() / 1_000)).toBeLessThan(60);
  await allSettled(30_000);
  expect(await cashOf(db, accountId)).toBe('60.00');
  expect(await db.stripeEvent.count({ where: { source: 'reconciliation' } })).toBe(dropped);
  const payloads = (await db.stripeEvent.findMany()).map(({ payload }) => payload).join();
  expect(payloads).toContain('"client_secret":"hidden"');
  expect(payloads).not.toContain('_secret_');
  expect(await db.stripeEvent.count({ where: { status: 'received' } })).toBe(0);
  expect(smtp.received).toHaveLength(2);

  // Stripe still could not deliver them: they are known, and found no second time.
  await reconcile(stack);
  expect((await rounds(db))[0]).toMatchObject({ eventsFound: 0, error: null });
  await allSettled(30_000);
  expect(await cashOf(db, accountId)).toBe('60.00');
  await expectBalancedBooks(db);
});

test('a deposit whose events were all lost is mended once it has been quiet for ten minutes', async () => {
  const stack = await startStripeStack();
  const { db, stripe, smtp, deposit, startWorker, allSettled } = stack;
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const paid = await deposit(accountId, 10_000);
  const canceled = await deposit(accountId, 10_000);
  const open = await deposit(accountId, 10_000);
  const fresh = await deposit(accountId, 10_000);
  stripe.pay(paid.paymentIntentId);
  stripe.refund(paid.paymentIntentId, 1_000);
  stripe.dispute(paid.paymentIntentId);
  stripe.cancel(canceled.paymentIntentId);
  stripe.pay(fresh.paymentIntentId);
  for (const { id } of [paid, canceled, open]) await age(db, id, 11);
  await age(db, fresh.id, 9);
  // No longer known there, as a payment of another Stripe account would be.
  const { id: unknownId } = await deposit(accountId, 10_000);
  await db.deposit.update({
    where: { id: unknownId },
    data: { paymentIntentId: 'pi_unknown', updatedAt: new Date(0) },
  });

  await Promise.all([reconcile(stack), reconcile(stack), reconcile(stack)]);
  const done = await rounds(db);
  expect(done.reduce((sum, row) => sum + row.depositsMended, 0)).toBe(2);
  expect(done.every(({ error, eventsFound }) => error === null && eventsFound === 0)).toBe(true);
  const statuses = new Map(
    (await db.deposit.findMany()).map(({ id, status }) => [id, status] as const),
  );
  expect([paid, canceled, open, fresh].map(({ id }) => statuses.get(id))).toEqual([
    'succeeded',
    'canceled',
    'pending',
    'pending',
  ]);
  expect(await cashOf(db, accountId)).toBe('0.00');
  await startWorker(NO_STRIPE);
  await allSettled(30_000);
  expect(smtp.received.map(({ subject }) => subject).sort()).toEqual([
    '10.00 USD of your deposit was refunded',
    'A deposit is disputed: 90.00 USD',
    'Your deposit of 100.00 USD is here',
  ]);
  await expectBalancedBooks(db);
});

test('a round that meets no Stripe says so, and the next one mends it', async () => {
  const stack = await startStripeStack();
  const { db, stripe, deposit, startWorker, allSettled } = stack;
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  stripe.sendTo(NOWHERE);
  stripe.plan('all', 'dropped');
  const { paymentIntentId } = await deposit(accountId, 10_000);
  stripe.pay(paymentIntentId);
  const silent = await deposit(accountId, 10_000);
  await age(db, silent.id, 11);
  for (const path of ['/v1/events', '/v1/payment_intents']) {
    stripe.fault(path, { status: 503 }, Number.POSITIVE_INFINITY);
  }
  await reconcile(stack);
  const [failed] = await rounds(db);
  expect(failed).toMatchObject({ eventsFound: 0, depositsMended: 0 });
  expect(failed?.error).toContain('503');
  expect(failed?.endedAt).not.toBeNull();
  const askedAt = async () =>
    (await db.deposit.findUniqueOrThrow({ where: { id: silent.id } })).askedAt;
  // Nobody has answered: it is as far in front as before.
  expect(await askedAt()).toBeNull();

  stripe.heal();
  stripe.fault('/v1/payment_intents', { status: 503 }, Number.POSITIVE_INFINITY);
  await reconcile(stack);
  const [half] = await rounds(db);
  expect(half?.eventsFound).toBe(handled(stack).length);
  expect(half?.error).toContain('503');
  expect(half?.seenUntil).toBeGreaterThan(failed?.seenUntil ?? 0);

  stripe.heal();
  await reconcile(stack);
  expect((await rounds(db))[0]).toMatchObject({ eventsFound: 0, error: null });
  expect(await askedAt()).not.toBeNull();
  await startWorker(NO_STRIPE);
  await allSettled(30_000);
  expect(await cashOf(db, accountId)).toBe('100.00');
});

test('one round goes on at a time, a dead one is given up, and the next goes on where it was left', async () => {
  const { db } = await startStripeStack();
  const first = await beginReconciliation(db, { firstDays: 30 });
  const now = Date.now() / 1_000;
  const start = first?.seenUntil ?? 0;
  expect(Math.abs(start + 30 * 86_400 - now)).toBeLessThan(60);
  const begin = () => beginReconciliation(db, { firstDays: 3 });
  expect(await Promise.all([begin(), begin(), begin()])).toEqual([null, null, null]);
  await db.stripeReconciliation.updateMany({ data: { startedAt: new Date(Date.now() - 200_000) } });
  const begun = (await Promise.all([begin(), begin(), begin()])).filter((one) => one !== null);
  expect(begun).toMatchObject([{ seenUntil: start }]);
  const progress = { seenUntil: start + 2_000, eventsFound: 3 };
  const result = { depositsMended: 4, error: null };
  await noteProgress(db, begun[0]?.id ?? '', progress);
  await endReconciliation(db, begun[0]?.id ?? '', result);
  // The dead one comes to life: it was given up, and says nothing any more.
  await noteProgress(db, first?.id ?? '', { ...progress, seenUntil: start + 9_000 });
  await endReconciliation(db, first?.id ?? '', result);
  const [second, dead] = await rounds(db);
  expect(second).toMatchObject({ ...progress, ...result });
  expect(dead).toMatchObject({ seenUntil: start, eventsFound: 0 });
  expect(dead?.error).toContain('did not come to its end');
  // The highest counts, whatever the clocks of the workers made the order of the ids.
  await db.stripeReconciliation.update({
    where: { id: dead?.id ?? '' },
    data: { seenUntil: start + 2_500 },
  });
  expect((await begin())?.seenUntil).toBe(start + 2_500);
});

test('a key that may not list events mends deposits all the same, and both are told', async () => {
  const stack = await startStripeStack();
  const { db, stripe, deposit } = stack;
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const { id, paymentIntentId } = await deposit(accountId, 10_000);
  stripe.pay(paymentIntentId);
  await age(db, id, 11);
  stripe.fault('/v1/events', { status: 403 }, Number.POSITIVE_INFINITY);
  await reconcile(stack);
  const [round] = await rounds(db);
  expect(round).toMatchObject({ eventsFound: 0, depositsMended: 1 });
  expect(round?.error).toContain('403');
  expect(await cashOf(db, accountId)).toBe('100.00');
});

test('a payment of which Stripe says what nobody can read keeps no other from being mended', async () => {
  const stack = await startStripeStack();
  const { db, ledger, stripe, payments, deposit } = stack;
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const odd = await deposit(accountId, 10_000);
  const paid = await Array.fromAsync({ length: 9 }, () => deposit(accountId, 10_000));
  for (const { id, paymentIntentId } of paid) {
    stripe.pay(paymentIntentId);
    await age(db, id, 11);
  }
  await age(db, odd.id, 12);
  const picky: Payments = {
    ...payments,
    read: async (object, signal) => {
      if (object.id === odd.paymentIntentId) throw new PaymentUnreadable('a word nobody knows');
      return payments.read(object, signal);
    },
  };
  const { signal } = new AbortController();
  await createReconcileStripe({ db, ledger, payments: picky }).run({ signal, log });
  const [round] = await rounds(db);
  expect(round).toMatchObject({
    depositsMended: 9,
    error: expect.stringContaining('cannot be read: 1'),
  });
  const asked = await db.deposit.findMany({ where: { askedAt: null } });
  expect(asked).toEqual([]);
});

test('rounds are forgotten after 30 days', async () => {
  const stack = await startStripeStack();
  const { db } = stack;
  await reconcile(stack);
  await db.stripeReconciliation.updateMany({
    data: { startedAt: new Date(Date.now() - 31 * 86_400_000) },
  });
  const [{ seenUntil = 0 } = {}] = await rounds(db);
  await reconcile(stack);
  const kept = await rounds(db);
  expect(kept).toHaveLength(1);
  expect(kept[0]?.error).toBeNull();
  expect(kept[0]?.seenUntil).toBeGreaterThanOrEqual(seenUntil);
  expect(seenUntil).toBeGreaterThan(0);
});
