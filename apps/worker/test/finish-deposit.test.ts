import { insertDeposit } from '@gatehouse/db/deposits';
import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { finishDeposit } from '@gatehouse/jobs/definitions/finish-deposit';
import { until } from '@gatehouse/testing/condition';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { startFakeStripe } from '@gatehouse/testing/stripe/fake-stripe';
import { expect, onTestFinished, test } from 'vitest';
import { startStack } from './stack.ts';

/** A deposit whose gateway died after its first transaction, and its job, which is due. */
async function setStage() {
  const stripe = await startFakeStripe();
  onTestFinished(stripe.close);
  const settings = { STRIPE_SECRET_KEY: stripe.apiKey, STRIPE_API_URL: stripe.url };
  const stack = await startStack({ settings });
  const { db, ledger } = stack;
  const { accountId } = await createTestAccount(db);
  const id = newId();
  await transaction(db, async (tx) => {
    await insertDeposit(tx, { id, accountId, amount: 2500, currency: 'usd' });
    await ledger.enqueue(tx, finishDeposit, { depositId: id, accountId }, { requestId: 'r1' });
  });
  return {
    stack,
    stripe,
    id,
    deposit: () => db.deposit.findUniqueOrThrow({ where: { id } }),
    events: async () =>
      (await db.event.findMany({ orderBy: { id: 'asc' } })).map(({ type, requestId }) => [
        type,
        requestId,
      ]),
  };
}

test('a deposit that nobody retries is finished, with one payment, and its owner is told', async () => {
  const { stack, stripe, id, deposit, events } = await setStage();
  await stack.startWorker();
  await stack.allSettled();
  const [intent, ...others] = stripe.paymentIntents();
  expect(others).toEqual([]);
  expect(intent).toMatchObject({ amount: 2500, metadata: { deposit_id: id } });
  expect(await deposit()).toMatchObject({ status: 'pending', paymentIntentId: intent?.id });
  expect(await events()).toEqual([['deposit.created', 'r1']]);
});

test('a payment that the dead gateway has asked for already is not asked for again', async () => {
  const { stack, stripe, id, deposit } = await setStage();
  const { accountId } = await deposit();
  const asked = await fetch(`${stripe.url}/v1/payment_intents`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${stripe.apiKey}`,
      'idempotency-key': id,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body:
      'amount=2500&currency=usd&automatic_payment_methods[enabled]=true' +
      `&metadata[deposit_id]=${id}&metadata[account_id]=${accountId}`,
  });
  expect(asked.status).toBe(200);
  await stack.startWorker();
  await stack.allSettled();
  expect(stripe.paymentIntents()).toHaveLength(1);
  expect(await deposit()).toMatchObject({
    status: 'pending',
    paymentIntentId: stripe.paymentIntents()[0]?.id,
  });
});

test('there is nothing to do for one that its gateway has finished', async () => {
  const { stack, stripe, id, deposit, events } = await setStage();
  await stack.db.deposit.update({
    where: { id },
    data: { status: 'pending', paymentIntentId: 'pi_1' },
  });
  await stack.startWorker();
  await stack.allSettled();
  expect([stripe.paymentIntents(), await events()]).toEqual([[], []]);
  expect(await deposit()).toMatchObject({ status: 'pending', paymentIntentId: 'pi_1' });
});

test('while Stripe is away the job waits, and no attempt is counted', async () => {
  const { stack, stripe, deposit } = await setStage();
  stripe.fault('/v1/payment_intents', { status: 503 }, Number.POSITIVE_INFINITY);
  await stack.startWorker();
  const job = await until(() => stack.db.job.findFirst({ where: { lastError: { not: null } } }), {
    what: 'the job to be put off',
  });
  expect(job).toMatchObject({
    attempts: 0,
    lastError: 'NotYet: Stripe answered 503',
  });
  expect(await deposit()).toMatchObject({ status: 'creating' });
  stripe.heal();
  await stack.allSettled();
  expect(await deposit()).toMatchObject({ status: 'pending' });
});

test('with a key that Stripe does not accept the job waits for a minute, and says why once', async () => {
  const { stack, stripe } = await setStage();
  stripe.fault('/v1/payment_intents', { status: 401 }, Number.POSITIVE_INFINITY);
  await stack.startWorker();
  const job = await until(() => stack.db.job.findFirst({ where: { lastError: { not: null } } }), {
    what: 'the job to be put off',
  });
  expect(job).toMatchObject({
    attempts: 0,
    lastError: 'NotYet: Stripe does not accept STRIPE_SECRET_KEY (401)',
  });
  expect((job.runAt?.getTime() ?? 0) - Date.now()).toBeGreaterThan(40_000);
});

test('a deposit that Stripe refuses is canceled', async () => {
  const { stack, stripe, deposit, events } = await setStage();
  stripe.fault('/v1/payment_intents', { status: 400 });
  await stack.startWorker();
  await stack.allSettled();
  expect(await deposit()).toMatchObject({ status: 'canceled', paymentIntentId: null });
  expect((await events()).map(([type]) => type)).toEqual(['deposit.created', 'deposit.canceled']);
});

test('after a day, when Stripe may have forgotten a first payment, it is not asked for a second', async () => {
  const { stack, stripe, deposit } = await setStage();
  await stack.db.$executeRaw`UPDATE deposit SET created_at = created_at - interval '23 hours'`;
  await stack.startWorker();
  await stack.allSettled();
  expect(stripe.paymentIntents()).toEqual([]);
  expect(await deposit()).toMatchObject({ status: 'canceled' });
});
