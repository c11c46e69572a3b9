import Stripe from 'stripe';
import { expect, test } from 'vitest';
import { until } from '../src/condition.ts';
import { connect, SECRET, start, startReceiver, startWithReceiver } from './stripe-setup.ts';

test('signs the exact bytes that it sends', async () => {
  const { fake, create, received, arrived } = await startWithReceiver();
  await create(2_000, { name: 'Zoë 漢' });
  await arrived(1);
  const { body = Buffer.alloc(0), headers } = received[0] ?? {};
  const signature = String(headers?.['stripe-signature']);
  const event = Stripe.webhooks.constructEvent(body, signature, SECRET);
  expect(event).toEqual({ ...fake.events()[0], pending_webhooks: 1 });
  expect(event).toMatchObject({ data: { object: { metadata: { name: 'Zoë 漢' } } } });
  const other = Buffer.from(JSON.stringify(JSON.parse(body.toString())));
  expect(() => Stripe.webhooks.constructEvent(other, signature, SECRET)).toThrow('No signatures');
  expect(() => Stripe.webhooks.constructEvent(body, signature, 'whsec_no')).toThrow(
    'No signatures',
  );
  const [, at] = /^t=(\d+),v1=[0-9a-f]{64}$/.exec(signature) ?? [];
  expect(Math.abs(Number(at) - Date.now() / 1000)).toBeLessThan(30);
});

test('tries again until it is answered 2xx, signed anew, and no further', async () => {
  const { fake, create, received, answerNext } = await startWithReceiver();
  answerNext(500, 'cut', 302, 204);
  await create();
  const [event] = fake.events();
  await until(() => event?.pending_webhooks === 0, { what: 'the delivery' });
  const attempts = fake.attempts(event?.id ?? '');
  expect(attempts.map(({ status }) => status)).toEqual([500, null, 302, 204]);
  expect(attempts[1]?.error).toMatch(/hang up|ECONNRESET/);
  expect(received).toHaveLength(4);
  const gaps = attempts.slice(1).map(({ at }, index) => Number(at) - Number(attempts[index]?.at));
  expect(gaps.map((gap, index) => gap >= 20 * 2 ** index - 2)).toEqual([true, true, true]);
  for (const { body, headers } of received) {
    const signature = String(headers['stripe-signature']);
    expect(Stripe.webhooks.constructEvent(body, signature, SECRET).id).toBe(event?.id);
  }
});

test('gives up at the end of its schedule', async () => {
  const { fake, create, answerNext } = await startWithReceiver({ retryDelaysMs: [5, 5] });
  answerNext(500, 500, 500);
  await create();
  const [event] = fake.events();
  const id = event?.id ?? '';
  await until(() => fake.attempts(id).length === 3, { what: 'three attempts' });
  expect(event?.pending_webhooks).toBe(1);
  await fake.deliver(id);
  expect(event?.pending_webhooks).toBe(0);
  expect(fake.attempts(id).map(({ status }) => status)).toEqual([500, 500, 500, 200]);
});

test('tries no more once it has been delivered on demand', async () => {
  const { fake, create, answerNext } = await startWithReceiver({ retryDelaysMs: [300, 5] });
  answerNext(500);
  await create();
  const [first] = fake.events();
  await until(() => fake.attempts(first?.id ?? '').length, { what: 'the first attempt' });
  await fake.deliver(first?.id ?? '');
  fake.plan('all', { lateMs: 400 });
  await create();
  const [, second] = fake.events();
  await until(() => second?.pending_webhooks === 0, { what: 'a later delivery' });
  expect(fake.attempts(first?.id ?? '')).toHaveLength(2);
});

test('an endpoint that is silent for too long is tried again', async () => {
  const { fake, create, answerNext } = await startWithReceiver({ deliveryTimeoutMs: 100 });
  answerNext('silence');
  await create();
  const [event] = fake.events();
  await until(() => event?.pending_webhooks === 0, { what: 'the delivery' });
  expect(fake.attempts(event?.id ?? '')).toMatchObject([
    { status: null, error: 'silent for 100 ms' },
    { status: 200, error: null },
  ]);
});

test('sends a thin notification, whose event and object can be fetched', async () => {
  const { fake, stripe, create, received } = await startWithReceiver();
  fake.plan('all', 'dropped');
  const { id } = await create();
  fake.pay(id);
  const snapshot = fake.events().at(-1);
  const { notificationId, status } = await fake.deliverThin(snapshot?.id ?? '');
  expect(status).toBe(200);
  const { body = Buffer.alloc(0), headers } = received[0] ?? {};
  const signature = String(headers?.['stripe-signature']);
  expect(body.toString()).not.toContain('amount');
  const notification = stripe.parseEventNotification(body, signature, SECRET);
  expect(notification).toMatchObject({
    id: notificationId,
    type: 'v1.payment_intent.succeeded',
    related_object: { id, type: 'payment_intent' },
  });
  expect(notificationId).not.toBe(snapshot?.id);
  expect(await stripe.v2.core.events.retrieve(notificationId)).toMatchObject({
    id: notificationId,
    snapshot_event: snapshot?.id,
  });
  if (notification.type !== 'v1.payment_intent.succeeded') throw new Error('of another type');
  expect(await notification.fetchRelatedObject()).toMatchObject({ id, status: 'succeeded' });
  expect((await fake.deliverThin(snapshot?.id ?? '')).notificationId).toBe(notificationId);
  await expect(stripe.v2.core.events.retrieve('evt_none')).rejects.toMatchObject({
    statusCode: 404,
  });
});

test('owes nothing to nobody, and goes to the endpoint that it is given later', async () => {
  const { endpoint, types } = await startReceiver();
  const { fake, create } = await start();
  await create();
  fake.sendTo(endpoint);
  await create();
  expect(fake.events().map((event) => event.pending_webhooks)).toEqual([0, 1]);
  await until(() => types().length === 1, { what: 'the webhook of the second' });
  expect((await connect(fake).events.list({ delivery_success: true })).data).toHaveLength(2);
});
