import { expect, test } from 'vitest';
import { made, startWithReceiver } from './stripe-setup.ts';

test('delivers twice, late, or only when it is asked to', async () => {
  const { fake, create, received, types, arrived } = await startWithReceiver();
  fake.plan('all', 'dropped');
  fake.plan('charge.succeeded', 'twice');
  fake.plan('payment_intent.succeeded', { lateMs: 400 });
  const { id } = await create();
  const paidAt = Date.now();
  fake.pay(id);
  await arrived(3);
  expect(types()).toEqual(['charge.succeeded', 'charge.succeeded', 'payment_intent.succeeded']);
  expect(received[1]?.body).toEqual(received[0]?.body);
  const [dropped, , late] = fake.events();
  expect(Number(fake.attempts(late?.id ?? '')[0]?.at) - paidAt).toBeGreaterThanOrEqual(395);
  expect(fake.attempts(dropped?.id ?? '')).toEqual([]);
  expect(await fake.deliver(dropped?.id ?? '')).toMatchObject({ status: 200 });
  expect(types()).toHaveLength(4);
  expect(types()[3]).toBe('payment_intent.created');
  await expect(fake.deliver('evt_none')).rejects.toThrow('No such event');
});

test('holds what it is told to, and lets it go in order or reversed', async () => {
  const { fake, create, types } = await startWithReceiver();
  fake.plan('all', 'held');
  const { id } = await create();
  fake.pay(id);
  fake.refund(id);
  expect(types()).toEqual([]);
  await fake.release('reversed');
  const all = made(fake);
  expect(all).toHaveLength(5);
  expect(types()).toEqual(all.toReversed());
  await fake.release('reversed');
  const { id: other } = await create();
  fake.pay(other);
  fake.dispute(other);
  await fake.release('in order');
  expect(types()).toEqual([...all.toReversed(), ...made(fake).slice(5)]);
});
