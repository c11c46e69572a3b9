import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import { until } from '@gatehouse/testing/condition';
import { closedUrl } from '@gatehouse/testing/scripted-server';
import { newWebhookSecret } from '@gatehouse/webhooks/signing';
import { expect, test } from 'vitest';
import { attempted, expectSigned, startWebhookStack } from './webhooks.ts';

test('what is owed is delivered with its body and a signature that everyone can verify, and is written down', async () => {
  const { db, receiver, createEndpoint, owe, deliveryOf, startWorker, allSettled } =
    await startWebhookStack();
  const endpoint = await createEndpoint('/a?b=c');
  receiver.answer('/a?b=c', { status: 201, body: 'thank\0 you' });
  const [eventId = ''] = await owe(endpoint);
  await startWorker();
  await allSettled();

  const requests = receiver.received('/a?b=c');
  expect(requests).toHaveLength(1);
  const { headers = {}, body = '' } = requests[0] ?? {};
  const event = await db.event.findUniqueOrThrow({ where: { id: eventId } });
  const timestamp = event.createdAt.toISOString();
  // The members are in their order, and the data in that of the change.
  expect(body.toString()).toBe(
    `{"id":"${eventId}","type":"task.created","timestamp":"${timestamp}","data":${JSON.stringify(event.data)}}`,
  );
  expect(body.toString()).toContain('"data":{"z":"first","index":0,');
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'Gatehouse-Webhooks/1',
    'webhook-id': eventId,
  });
  expectSigned(requests[0], endpoint.secret);
  expect(() => expectSigned(requests[0], newWebhookSecret())).toThrow();

  const delivery = await deliveryOf(endpoint, eventId);
  expect(delivery).toMatchObject({ status: 'succeeded', attempts: 1, nextAttemptAt: null });
  expect(delivery.endedAt).toBeInstanceOf(Date);
  expect(delivery.history).toMatchObject([
    { statusCode: 201, error: null, responseBody: 'thank you' },
  ]);
});

test('a request that fails is sent again under the same id, signed anew, until it succeeds', async () => {
  const { receiver, createEndpoint, owe, makeDue, deliveryOf, startWorker, allSettled } =
    await startWebhookStack();
  const endpoint = await createEndpoint('/a');
  receiver.answer('/a', { status: 500, body: 'oh no' });
  const [eventId = ''] = await owe(endpoint);
  await startWorker();
  const failed = await attempted(() => deliveryOf(endpoint, eventId));
  expect(failed.status).toBe('pending');
  const [first] = failed.history;
  const delayMs = Number(failed.nextAttemptAt) - Number(first?.at);
  expect(delayMs).toBeGreaterThan(4_000);
  expect(delayMs).toBeLessThan(8_000);

  receiver.answer('/a', 'ok');
  await makeDue(endpoint);
  await allSettled();
  const delivery = await deliveryOf(endpoint, eventId);
  expect(delivery).toMatchObject({ status: 'succeeded', attempts: 2 });
  expect(delivery.history).toMatchObject([
    { statusCode: 500, error: 'answered 500', responseBody: 'oh no' },
    { statusCode: 200, error: null, responseBody: '' },
  ]);
  const requests = receiver.received('/a');
  expect(requests.map(({ headers }) => headers['webhook-id'])).toEqual([eventId, eventId]);
  for (const request of requests) expectSigned(request, endpoint.secret);
});

test('a delivery that has used up its attempts has failed, and is sent no more', async () => {
  const { db, receiver, createEndpoint, owe, deliveryOf, startWorker, allSettled } =
    await startWebhookStack();
  const endpoint = await createEndpoint('/a');
  receiver.answer('/a', { status: 500 });
  const [eventId = ''] = await owe(endpoint);
  await db.webhookDelivery.updateMany({ data: { attempts: 9 } });
  await startWorker();
  await allSettled();
  expect(await deliveryOf(endpoint, eventId)).toMatchObject({
    ...{ status: 'failed', attempts: 10, nextAttemptAt: null },
  });
  expect(receiver.received('/a')).toHaveLength(1);
});

test.each([
  ['a redirect', { status: 302, headers: { location: '/b' } }, 302, 'redirects are not followed'],
  ['an answer that is no success', { status: 404 }, 404, 'answered 404'],
  ['a connection that is closed', 'break', null, 'connection closed'],
] as const)('%s is a failed attempt', async (_name, answer, statusCode, error) => {
  const { receiver, createEndpoint, owe, deliveryOf, startWorker } = await startWebhookStack();
  const endpoint = await createEndpoint('/a');
  receiver.answer('/a', answer);
  const [eventId = ''] = await owe(endpoint);
  await startWorker();
  const { history } = await attempted(() => deliveryOf(endpoint, eventId));
  expect(history).toMatchObject([{ statusCode, error }]);
  expect(receiver.received('/b')).toEqual([]);
});

test.each([
  ['nobody who listens', closedUrl, 'connection refused'],
  ['a name that is none', async () => 'http://nobody.invalid/', 'name not found'],
] satisfies [string, () => Promise<string>, string][])(
  '%s: a failed attempt without an answer',
  async (_name, url, error) => {
    const { createEndpoint, owe, deliveryOf, startWorker } = await startWebhookStack();
    const endpoint = await createEndpoint('', { url: await url() });
    const [eventId = ''] = await owe(endpoint);
    await startWorker();
    const { history } = await attempted(() => deliveryOf(endpoint, eventId));
    expect(history).toMatchObject([{ statusCode: null, error, responseBody: null }]);
  },
);

test('what must not be called is a failed attempt, and nothing is sent', async () => {
  const { receiver, createEndpoint, owe, deliveryOf, startWorker } = await startWebhookStack({
    WEBHOOK_ALLOW_PRIVATE: 'false',
  });
  const endpoint = await createEndpoint('/a');
  const [eventId = ''] = await owe(endpoint);
  await startWorker();
  const { history } = await attempted(() => deliveryOf(endpoint, eventId));
  expect(history).toMatchObject([{ statusCode: null, error: 'address not allowed' }]);
  expect(receiver.received()).toEqual([]);
});

test.each([
  [200, 'succeeded', 1],
  [500, 'pending', 16],
])('of a long answer of %i the delivery is %s, and the first %i KB are kept', async (...row) => {
  const [status, outcome, kept] = row;
  const { receiver, createEndpoint, owe, deliveryOf, startWorker } = await startWebhookStack();
  const endpoint = await createEndpoint('/a');
  receiver.answer('/a', { status, body: `a${'ä'.repeat(1_000_000)}` });
  const [eventId = ''] = await owe(endpoint);
  await startWorker();
  const delivery = await until(
    async () => {
      const read = await deliveryOf(endpoint, eventId);
      return read.status === outcome && read.history.length > 0 && read;
    },
    { what: `the delivery to be ${outcome}` },
  );
  // The last character would be cut in two.
  expect(delivery.history[0]?.responseBody).toBe(`a${'ä'.repeat(kept * 512 - 1)}`);
});

test.each([
  [200, null, 'succeeded', null],
  [410, 'answered 410', 'pending', 'gone'],
  [500, 'answered 500', 'pending', null],
] as const)('of a %s that breaks off the status counts, and what came is kept', async (...row) => {
  const [status, error, outcome, disabledReason] = row;
  const { db, receiver, createEndpoint, owe, deliveryOf, startWorker } = await startWebhookStack();
  const endpoint = await createEndpoint('/a');
  const headers = { 'content-length': '100', connection: 'close' };
  receiver.answer('/a', { status, headers, body: 'the beg' });
  const [eventId = ''] = await owe(endpoint);
  await startWorker();
  const delivery = await attempted(() => deliveryOf(endpoint, eventId));
  expect(delivery.status).toBe(outcome);
  expect(delivery.history).toMatchObject([{ statusCode: status, error, responseBody: 'the beg' }]);
  await until(async () => (await db.job.count({ where: { state: 'dispatched' } })) === 0, {
    what: 'the run to end',
  });
  expect((await db.webhookEndpoint.findFirstOrThrow()).disabledReason).toBe(disabledReason);
});

test('while a secret is exchanged, requests are signed with both, and then with the new one alone', async () => {
  const { db, receiver, createEndpoint, owe, startWorker, allSettled } = await startWebhookStack();
  const old = newWebhookSecret();
  const inAnHour = new Date(Date.now() + 3_600_000);
  const endpoint = await createEndpoint('/a', { previous: { secret: old, until: inAnHour } });
  await owe(endpoint);
  await startWorker();
  await allSettled();
  expectSigned(receiver.received('/a')[0], endpoint.secret);
  expectSigned(receiver.received('/a')[0], old);

  await db.webhookEndpoint.updateMany({ data: { previousSecretExpiresAt: new Date(0) } });
  await owe(endpoint);
  await allSettled();
  expectSigned(receiver.received('/a')[1], endpoint.secret);
  expect(() => expectSigned(receiver.received('/a')[1], old)).toThrow();
});

test('a secret that does not open is no failure of the receiver, and what is owed waits for its key, for weeks', async () => {
  const { db, receiver, createEndpoint, owe, deliveryOf, startWorker, allSettled } =
    await startWebhookStack();
  const endpoint = await createEndpoint('/a');
  const [eventId = ''] = await owe(endpoint);
  const attempts = deliverWebhooks.retry.attempts - 1;
  const weeksAgo = new Date(Date.now() - 20 * 86_400_000);
  await db.job.updateMany({ data: { createdAt: weeksAgo, attempts } });
  const worker = await startWorker({ WEBHOOK_SECRET_KEYS: 'x'.repeat(32) });
  const job = await until(async () => db.job.findFirst({ where: { lastError: { not: null } } }), {
    what: 'the job to be put off',
  });
  expect(job).toMatchObject({ attempts, state: 'waiting' });
  expect(job.lastError).toMatch('opens with none of the keys');
  expect(receiver.received()).toEqual([]);
  expect(await db.webhookAttempt.count()).toBe(0);

  await worker.close();
  await startWorker();
  await db.job.updateMany({ data: { runAt: new Date(0) } });
  await allSettled();
  expect(await deliveryOf(endpoint, eventId)).toMatchObject({ status: 'succeeded', attempts: 1 });
});

test('the job of an endpoint that is owed nothing needs no key to end', async () => {
  const { db, createEndpoint, owe, startWorker, allSettled } = await startWebhookStack();
  await owe(await createEndpoint('/a'));
  await db.webhookDelivery.updateMany({
    data: { status: 'canceled', nextAttemptAt: null, endedAt: new Date() },
  });
  await startWorker({ WEBHOOK_SECRET_KEYS: 'x'.repeat(32) });
  await allSettled();
});
