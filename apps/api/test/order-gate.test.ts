import { expect, test } from 'vitest';
import { freshKey, order, startGateway } from './harness.ts';

test('in one shared commit a bad order never fails its neighbours', async () => {
  const gateway = await startGateway();
  const client = await gateway.client();
  await client.call('POST', '/v1/orders', {
    body: order({ clientOrderId: 'taken' }),
    headers: freshKey(),
  });
  const stale = freshKey();
  const first = await client.call('POST', '/v1/orders', { body: order(), headers: stale });
  await gateway.app.redis.flushdb();

  const answers = await Promise.all([
    client.call('POST', '/v1/orders', { body: order(), headers: stale }),
    ...Array.from({ length: 40 }, (_, index) =>
      client.call('POST', '/v1/orders', {
        body: order({ clientOrderId: index % 10 === 0 ? 'taken' : `fine-${index}` }),
        headers: freshKey(),
      }),
    ),
  ]);
  const [replay, ...others] = answers;
  expect(replay?.text).toBe(first.text);
  expect(others.map(({ status }) => status)).toEqual(
    others.map((_, index) => (index % 10 === 0 ? 409 : 201)),
  );
  expect(await gateway.db.order.count()).toBe(2 + 36);
});
