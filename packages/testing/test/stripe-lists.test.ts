import { expect, test } from 'vitest';
import { until } from '../src/condition.ts';
import { made, start, startReceiver } from './stripe-setup.ts';

test('lists events newest first, page by page, each once', async () => {
  const { stripe, fake, create } = await start();
  for (let count = 0; count < 5; count += 1) fake.pay((await create()).id);
  const newestFirst = fake
    .events()
    .map(({ id }) => id)
    .toReversed();
  expect(newestFirst).toHaveLength(15);
  const first = await stripe.events.list();
  expect(first).toMatchObject({ has_more: true, data: { length: 10 } });
  const second = await stripe.events.list({ starting_after: first.data.at(-1)?.id ?? '' });
  expect(second.has_more).toBe(false);
  expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(newestFirst);
  const exactly = await stripe.events.list({ limit: 15 });
  expect([exactly.has_more, exactly.data.length]).toEqual([false, 15]);
  const walked: string[] = [];
  for await (const { id } of stripe.events.list({ limit: 4 })) walked.push(id);
  expect(walked).toEqual(newestFirst);
  await expect(stripe.events.list({ starting_after: 'evt_none' })).rejects.toMatchObject({
    param: 'starting_after',
  });
  await expect(stripe.events.list({ limit: 101 })).rejects.toMatchObject({ param: 'limit' });
});

test('lists by type and by time', async () => {
  const { stripe, fake, create } = await start();
  const { id } = await create();
  fake.pay(id);
  fake.refund(id);
  const types = ['charge.refunded', 'payment_intent.succeeded'];
  const { data } = await stripe.events.list({ types });
  expect(data.map(({ type }) => type)).toEqual(types);
  const [newest] = fake.events().slice(-1);
  const created = newest?.created ?? 0;
  const from = async (range: Record<string, number>) =>
    (await stripe.events.list({ created: range })).data.some((event) => event.id === newest?.id);
  expect(await from({ gte: created })).toBe(true);
  expect(await from({ gt: created })).toBe(false);
  expect(await from({ gt: created - 1 })).toBe(true);
  expect(await from({ lt: created })).toBe(false);
  expect(await from({ gte: created, lt: created + 1 })).toBe(true);
  expect(await from({ gte: created - 9, lt: created })).toBe(false);
  const both = { types: ['charge.refunded'], created: { gte: created - 9, lt: created + 1 } };
  expect((await stripe.events.list(both)).data.map(({ type }) => type)).toEqual([
    'charge.refunded',
  ]);
  const tooMany = Array.from({ length: 21 }, (_, index) => `type.${index}`);
  await expect(stripe.events.list({ types: tooMany })).rejects.toMatchObject({ param: 'types' });
  const intents = await stripe.paymentIntents.list({ expand: ['data.latest_charge'] });
  expect(intents.data).toMatchObject([{ id, latest_charge: { amount_refunded: 2_000 } }]);
});

test('tells what was delivered from what was not', async () => {
  const { endpoint, answerNext } = await startReceiver();
  const { stripe, fake, create } = await start({ endpoint, retryDelaysMs: [] });
  fake.plan('charge.succeeded', 'dropped');
  answerNext(200, 500);
  const { id } = await create();
  await until(() => fake.events()[0]?.pending_webhooks === 0, { what: 'the first delivery' });
  fake.pay(id);
  const [, dropped, failed] = fake.events();
  await until(() => fake.attempts(failed?.id ?? '').length, { what: 'the failing delivery' });
  const undelivered = await stripe.events.list({ delivery_success: false });
  expect(undelivered.data.map((event) => event.id)).toEqual([failed?.id, dropped?.id]);
  expect(undelivered.data.map((event) => event.pending_webhooks)).toEqual([1, 1]);
  const delivered = await stripe.events.list({ delivery_success: true });
  expect(delivered.data.map(({ type }) => type)).toEqual(['payment_intent.created']);
  // A page may begin after an event that has been delivered meanwhile.
  await fake.deliver(failed?.id ?? '');
  const rest = await stripe.events.list({
    delivery_success: false,
    starting_after: failed?.id ?? '',
  });
  expect(rest.data.map((event) => event.id)).toEqual([dropped?.id]);
  expect(await stripe.events.retrieve(failed?.id ?? '')).toMatchObject({ pending_webhooks: 0 });
  expect(made(fake)).toHaveLength(3);
});
