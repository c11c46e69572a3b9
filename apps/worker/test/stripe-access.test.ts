import { findStripeEvent } from '@gatehouse/db/stripe-events';
import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { startStack, type TestStack } from './stack.ts';
import {
  acceptEvents,
  addDeposit,
  event,
  eventsOf,
  startStripeStack,
  type TestEvent,
  thinEvent,
} from './stripe.ts';

/** What becomes of the job of an event that cannot be done now. */
async function putOff(stack: TestStack, one: TestEvent) {
  const [id = ''] = await acceptEvents(stack, [one]);
  const job = await until(
    () => stack.db.job.findFirst({ where: { subjectId: id, lastError: { not: null } } }),
    { what: 'the event to be put off' },
  );
  expect(await findStripeEvent(stack.db, id)).toMatchObject({ status: 'received' });
  return job;
}

test('a worker without a key leaves real money to others, and does what is of test mode', async () => {
  const stack = await startStack();
  await stack.startWorker();
  const { accountId } = await createTestAccount(stack.db, { cash: '0.00' });
  const deposit = await addDeposit(stack.db, accountId, 10_000);
  const test = eventsOf(deposit, 10_000).succeeded();
  const live = { ...eventsOf(deposit, 10_000).succeeded(), livemode: true };
  expect(await putOff(stack, live)).toMatchObject({
    attempts: 0,
    lastError: expect.stringContaining('STRIPE_SECRET_KEY is not set'),
  });
  const [id = ''] = await acceptEvents(stack, [test]);
  await until(async () => (await findStripeEvent(stack.db, id))?.status === 'processed', {
    what: 'the event of test mode to be done',
  });
});

test('a thin event about a payment in another currency is refused', async () => {
  const stack = await startStripeStack();
  await stack.startWorker();
  const body = 'amount=100&currency=eur';
  const made = await fetch(`${stack.stripe.url}/v1/payment_intents`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${stack.stripe.apiKey}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body,
  });
  expect(made.status).toBe(200);
  const [intent] = stack.stripe.paymentIntents();
  const about = { type: 'payment_intent', id: intent?.id ?? '' };
  const [id = ''] = await acceptEvents(stack, [thinEvent('payment_intent.created', about)]);
  await stack.allSettled();
  expect(await findStripeEvent(stack.db, id)).toMatchObject({
    status: 'refused',
    outcome: expect.stringContaining('eur'),
  });
});

test("with another account's key what is about a deposit of ours waits, and is not ignored", async () => {
  const stack = await startStripeStack();
  const { db } = stack;
  await stack.startWorker();
  const { accountId } = await createTestAccount(db, { cash: '0.00' });
  // At no Stripe that this key knows.
  const { id, paymentIntentId } = await addDeposit(db, accountId, 10_000);
  const refund = (more: object) => event('refund.failed', { id: `re_${newId()}`, ...more });
  const ours = [
    refund({ payment_intent: paymentIntentId }),
    refund({ payment_intent: 'pi_other', metadata: { deposit_id: id } }),
    thinEvent('payment_intent.succeeded', { type: 'payment_intent', id: paymentIntentId }),
  ];
  for (const one of ours) {
    expect(await putOff(stack, one)).toMatchObject({
      attempts: 0,
      lastError: expect.stringContaining("another account's"),
    });
  }
  const [others = ''] = await acceptEvents(stack, [refund({ payment_intent: 'pi_other' })]);
  await until(async () => (await findStripeEvent(db, others))?.status === 'ignored', {
    what: "another's refund to be ignored",
  });
});
