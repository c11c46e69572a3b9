import { findAccount } from '@gatehouse/db/accounts';
import { findStripeEvent, lockStripeEvent } from '@gatehouse/db/stripe-events';
import { transaction } from '@gatehouse/db/transaction';
import { processStripeEvent } from '@gatehouse/jobs/definitions/process-stripe-event';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startStack, type TestStack } from './stack.ts';
import {
  acceptEvents,
  addCreating,
  addDeposit,
  event,
  eventsOf,
  startStripeStack,
  type TestEvent,
  thinEvent,
} from './stripe.ts';
import { spawnWorker } from './worker-process.ts';

/** Has events done one after another, and returns what came of each. */
async function tell(stack: TestStack, ...events: readonly TestEvent[]): Promise<string[]> {
  const outcomes: string[] = [];
  for (const one of events) {
    const [id = ''] = await acceptEvents(stack, [one]);
    await stack.allSettled(30_000);
    const { status, outcome } = (await findStripeEvent(stack.db, id)) ?? {};
    outcomes.push(`${status}: ${outcome}`);
  }
  return outcomes;
}

const cashOf = async ({ db }: TestStack, accountId: string) => {
  const { cash, owed } = await findAccount(db, accountId);
  return [cash.toFixed(2), owed.toFixed(2)];
};

test('a refund that is heard of before its payment waits for it', async () => {
  const stack = await startStack();
  const { db, startWorker } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const events = eventsOf(await addDeposit(db, accountId, 10_000), 10_000);
  expect(await tell(stack, events.refunded(2_500))).toEqual([
    'processed: refund: it waits for its payment',
  ]);
  expect(await cashOf(stack, accountId)).toEqual(['0.00', '0.00']);
  expect(await tell(stack, events.succeeded(), events.succeeded())).toEqual([
    'processed: credited 100.00, took back 25.00 (refund)',
    'processed: nothing new',
  ]);
  expect(await cashOf(stack, accountId)).toEqual(['75.00', '0.00']);
  const log = await db.event.findMany({ where: { accountId }, orderBy: { id: 'asc' } });
  expect(log.map(({ type }) => type)).toEqual([
    'deposit.created',
    'deposit.refunded',
    'deposit.succeeded',
  ]);
  await expectBalancedBooks(db);
});

test('what is not ours, of another mode, of no known type or no event moves nothing, and says why', async () => {
  // Nobody listens there.
  const stack = await startStack({
    settings: { STRIPE_SECRET_KEY: 'sk_test_a', STRIPE_API_URL: 'http://127.0.0.1:9' },
  });
  const { db, startWorker } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const deposit = await addDeposit(db, accountId, 10_000);
  const paid = { amount: 10_000, amount_received: 10_000, currency: 'usd' };
  const ours = { ...paid, id: deposit.paymentIntentId };
  const other = { ...paid, id: 'pi_other' };
  const named = (depositId: string) => ({ ...other, metadata: { deposit_id: depositId } });
  const type = 'payment_intent.succeeded';
  const outcomes = await tell(
    stack,
    event(type, other),
    event(type, named('018f0000-0000-7000-8000-000000000000')),
    event(type, named("' OR 1=1 \u0000")),
    event(type, named(deposit.id)),
    event(type, ours, { livemode: true }),
    event(type, ours, { account: 'acct_1' }),
    event('customer.created', ours),
    event(type, { ...ours, amount_received: -1 }),
    event(type, { ...ours, amount_received: 0 }),
    event('charge.refunded', { id: 'ch_\u0000', payment_intent: 'pi_\u0000', amount_refunded: 1 }),
  );
  expect(outcomes.slice(0, 4)).toEqual([
    'ignored: no deposit of ours',
    'ignored: no deposit of ours',
    'ignored: no deposit of ours',
    `refused: deposit ${deposit.id} is paid by ${deposit.paymentIntentId}, not by pi_other`,
  ]);
  expect(outcomes.slice(4).map((outcome) => outcome.replace(/:.*/s, ''))).toEqual([
    'refused',
    'refused',
    'ignored',
    'refused',
    'refused',
    'refused',
  ]);
  expect(await cashOf(stack, accountId)).toEqual(['0.00', '0.00']);
  expect(await db.depositMovement.count()).toBe(0);
  expect(await db.email.count()).toBe(0);
  await expectBalancedBooks(db);
});

test('a payment that is heard of before its gateway knows it finds its deposit by its metadata', async () => {
  const stack = await startStack();
  const { db, startWorker } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const id = await addCreating(db, accountId, 5_000);
  const events = eventsOf({ id, paymentIntentId: 'pi_early' }, 5_000);
  expect(await tell(stack, events.succeeded(), events.refunded(1_000))).toEqual([
    'processed: credited 50.00',
    'processed: took back 10.00 (refund)',
  ]);
  const row = await db.deposit.findUniqueOrThrow({ where: { id } });
  expect(row).toMatchObject({ status: 'succeeded', paymentIntentId: 'pi_early' });
  expect(await cashOf(stack, accountId)).toEqual(['40.00', '0.00']);
});

test('whoever has spent what is refunded owes it, is told so, and cannot buy meanwhile', async () => {
  const stack = await startStack();
  const { db, ledger, smtp, startWorker, orderIn } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const events = eventsOf(await addDeposit(db, accountId, 10_000), 10_000);
  await tell(stack, events.succeeded());
  const bought = await acceptTestOrder(db, ledger, accountId, { quantity: '0.9' });
  await orderIn('filled', accountId, bought);
  await tell(stack, events.refunded(6_000));
  expect(await cashOf(stack, accountId)).toEqual(['0.00', '50.00']);
  const mail = smtp.received.at(-1);
  expect(mail?.subject).toBe('60.00 USD of your deposit was refunded');
  expect(mail?.text).toContain('owes 50.00 USD');
  expect(mail?.text).toMatch(/Refunded now: +60\.00 USD/);
  expect(mail?.html).toContain('cannot buy with that');
  const refused = await acceptTestOrder(db, ledger, accountId, { quantity: '0.1' });
  const order = await orderIn('rejected', accountId, refused);
  expect(order.rejectCode).toBe('insufficient_funds');

  const next = eventsOf(await addDeposit(db, accountId, 7_000), 7_000);
  await tell(stack, next.succeeded());
  expect(await cashOf(stack, accountId)).toEqual(['20.00', '0.00']);
  expect(smtp.received.at(-1)?.text).not.toContain('owes');
  await expectBalancedBooks(db);
});

test('a thin event has the payment read at Stripe, and waits while Stripe is away', async () => {
  const stack = await startStripeStack();
  const { db, stripe, startWorker, deposit, allSettled } = stack;
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const { paymentIntentId } = await deposit(accountId, 4_000);
  stripe.pay(paymentIntentId);
  stripe.refund(paymentIntentId, 500);
  stripe.fault('/v1/payment_intents', { status: 503 }, Number.POSITIVE_INFINITY);
  await startWorker();
  const about = { type: 'payment_intent', id: paymentIntentId };
  await acceptEvents(stack, [thinEvent('v1.payment_intent.succeeded', about)]);
  const waiting = await until(() => db.job.findFirst({ where: { generation: { gte: 1 } } }), {
    what: 'the event to be put off',
  });
  expect(waiting).toMatchObject({ name: 'process-stripe-event', attempts: 0 });
  expect(await cashOf(stack, accountId)).toEqual(['0.00', '0.00']);
  stripe.heal();
  await allSettled(60_000);
  expect(await cashOf(stack, accountId)).toEqual(['35.00', '0.00']);
  const unknown = thinEvent('payment_intent.succeeded', { type: 'payment_intent', id: 'pi_no' });
  expect(await tell(stack, unknown)).toEqual([
    'ignored: Stripe does not know payment_intent pi_no',
  ]);
}, 90_000);

test('a refund that fails comes back, and those after it are counted right in any order', async () => {
  const stack = await startStripeStack();
  const { db, stripe, smtp, startWorker, deposit } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const { paymentIntentId } = await deposit(accountId, 10_000);
  stripe.pay(paymentIntentId);
  const first = stripe.refund(paymentIntentId, 3_000);
  stripe.failRefund(first.id);
  stripe.refund(paymentIntentId, 2_000);
  const made = stripe.events().filter(({ type }) => type !== 'payment_intent.created');
  const kinds = (...types: string[]) => made.filter(({ type }) => types.includes(type));
  // The total of the second is less than that of the first: Stripe leaves out what has failed.
  const totals = kinds('charge.refunded').map(({ data }) => Object(data.object).amount_refunded);
  expect(totals).toEqual([3_000, 2_000]);
  await tell(stack, ...kinds('payment_intent.succeeded'), ...kinds('refund.failed'));
  expect(await tell(stack, ...kinds('charge.refunded'))).toEqual([
    'processed: nothing new',
    'processed: nothing new',
  ]);
  expect(await cashOf(stack, accountId)).toEqual(['80.00', '0.00']);
  const third = stripe.refund(paymentIntentId, 1_000);
  const news = stripe.events().filter(({ type }) => type === 'charge.refunded');
  expect(await tell(stack, ...news.slice(-1))).toEqual(['processed: took back 10.00 (refund)']);
  expect(third.amount).toBe(1_000);
  expect(await cashOf(stack, accountId)).toEqual(['70.00', '0.00']);
  expect(smtp.received.map(({ subject }) => subject)).toContain('A refund of 30.00 USD came back');
  await expectBalancedBooks(db);
}, 90_000);

test('an event that breaks a rule is tried again, and its neighbours in the batch are done', async () => {
  const stack = await startStack();
  const { db, startWorker } = stack;
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const [one, two] = [
    await addDeposit(db, accountId, 10_000),
    await addDeposit(db, accountId, 10_000),
  ];
  const first = eventsOf(one, 10_000);
  const disputed = { payment_intent: two.paymentIntentId, amount: 500, status: 'needs_response' };
  await acceptEvents(stack, [first.succeeded(), first.disputed(1_000)]);
  await startWorker();
  await stack.allSettled(30_000);
  const bad = event('charge.dispute.created', { ...disputed, id: `dp_${one.id}` });
  const neighbours = Array.from({ length: 20 }, () => eventsOf(two, 10_000).succeeded());
  await acceptEvents(stack, [...neighbours.slice(10), bad, ...neighbours.slice(0, 10)]);
  const failed = await until(() => db.job.findFirst({ where: { attempts: { gte: 1 } } }), {
    what: 'the bad event to fail',
    timeoutMs: 30_000,
  });
  expect(failed.lastError).toContain("is another deposit's");
  await until(async () => (await db.job.count()) === 1, {
    what: 'the neighbours to be done',
    timeoutMs: 30_000,
  });
  expect(await db.stripeEvent.count({ where: { status: 'received' } })).toBe(1);
  expect(await cashOf(stack, accountId)).toEqual(['190.00', '0.00']);
  await expectBalancedBooks(db);
}, 90_000);

test('an event that an operator replays has no second effect', async () => {
  const stack = await startStack();
  const { db, ledger, smtp, startWorker, allSettled } = stack;
  await startWorker();
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const events = eventsOf(await addDeposit(db, accountId, 10_000), 10_000);
  const [id = ''] = await acceptEvents(stack, [events.succeeded()]);
  await allSettled();
  await transaction(db, async (tx) => {
    expect(await lockStripeEvent(tx, id, processStripeEvent.name)).toMatchObject({ isOwed: false });
    await ledger.enqueue(tx, processStripeEvent, { stripeEventId: id }, { requestId: null });
  });
  await allSettled();
  expect(await findStripeEvent(db, id)).toMatchObject({
    status: 'processed',
    outcome: 'nothing new',
  });
  expect(await cashOf(stack, accountId)).toEqual(['100.00', '0.00']);
  expect(smtp.received).toHaveLength(1);
  await expectBalancedBooks(db);
});

test('hundreds of events are each done once although a worker is killed in the middle of them', async () => {
  const stack = await startStack();
  const { db, smtp, environment, startWorker, allSettled } = stack;
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  const others = await Array.fromAsync({ length: 9 }, () => createTestAccount(db));
  const accounts = [accountId, ...others.map((other) => other.accountId)];
  const deposits = await Array.fromAsync({ length: 120 }, (_, index) =>
    addDeposit(db, accounts[index % accounts.length] ?? accountId, 10_000),
  );
  const events = deposits.flatMap((deposit) => {
    const say = eventsOf(deposit, 10_000);
    return [say.refunded(1_000), say.succeeded(), say.disputed(2_000), say.succeeded()];
  });
  await acceptEvents(stack, events);
  const processed = () => db.stripeEvent.count({ where: { status: 'processed' } });
  const worker = await spawnWorker({ ...environment, WORKER_CONCURRENCY: '16' });
  await until(async () => (await processed()) > 0, { what: 'the first events', timeoutMs: 30_000 });
  await worker.end('SIGKILL');
  expect(await processed()).toBeLessThan(events.length);

  await startWorker();
  await allSettled(150_000);
  expect(await processed()).toBe(events.length);
  // Twelve deposits of 100.00, less 10.00 and 20.00 each.
  expect(await cashOf(stack, accountId)).toEqual(['840.00', '0.00']);
  expect(await db.email.count()).toBe(120 * 3);
  expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(120 * 3);
  await expectBalancedBooks(db);
}, 240_000);
