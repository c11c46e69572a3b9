import { beforeAll, expect, test } from 'vitest';
import { afterFile, freshKey, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { addAttempts, HOUR_MS, hence, read, retry, stored } from './webhook-delivery-scene.ts';
import { addDelivery, addEndpoint, endDelivery, violations } from './webhook-scene.ts';

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

const jobOf = (subjectId: string) =>
  gateway.db.job.findMany({ where: { subjectId, name: 'deliver-webhooks' } });

/** The scene leaves other endpoints without their jobs. */
const violationsAt = async (endpointId: string) =>
  (await violations(gateway.db)).filter((one) => one.includes(endpointId));

test('a retry gives a job that is dead another life', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await retry(ada, id);
  const dead = { state: 'dead', attempts: 3, lastError: 'no', runAt: hence(HOUR_MS) } as const;
  await gateway.db.job.updateMany({ where: { subjectId: endpointId }, data: dead });
  expect((await retry(ada, id)).status).toBe(202);
  const [job] = await jobOf(endpointId);
  expect(job?.state).not.toBe('dead');
  expect(job?.attempts).toBe(0);
  expect(Number(job?.runAt)).toBeLessThan(Date.now() + 5_000);
});

test.each(['failed', 'succeeded', 'canceled'] as const)(
  'a delivery that has %s is sent again from its first attempt on, in its place, with its history',
  async (end) => {
    const { id: endpointId } = await addEndpoint(ada);
    const id = await addDelivery(gateway.db, ada, endpointId);
    await addAttempts(gateway.db, id, [500, 503]);
    await endDelivery(gateway.db, id, end);
    const { sequence, eventId } = await stored(gateway.db, id);
    const { status, body } = await retry(ada, id);
    expect([status, body.status, body.attemptCount, body.endedAt]).toEqual([
      202,
      'pending',
      2,
      null,
    ]);
    const after = await stored(gateway.db, id);
    expect(after).toMatchObject({
      status: 'pending',
      attempts: 0,
      sequence,
      eventId,
      endedAt: null,
    });
    expect(Number(after.nextAttemptAt)).toBeLessThan(Date.now() + 5_000);
    expect((await read(ada, id)).body.attempts).toHaveLength(2);
    expect(await jobOf(endpointId)).toHaveLength(1);
    expect(await violationsAt(endpointId)).toEqual([]);
  },
);

test('a delivery that waits is sent now: its job and the pause of its endpoint with it', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await retry(ada, id);
  const later = hence(HOUR_MS);
  await gateway.db.webhookDelivery.update({
    where: { id },
    data: { attempts: 4, nextAttemptAt: later },
  });
  await gateway.db.webhookEndpoint.update({
    where: { id: endpointId },
    data: { pausedUntil: later },
  });
  await gateway.db.job.updateMany({
    where: { subjectId: endpointId },
    data: { state: 'waiting', runAt: later },
  });
  const { status, body } = await retry(ada, id);
  expect(status).toBe(202);
  expect(Date.parse(body.nextAttemptAt)).toBeLessThan(Date.now() + 5_000);
  expect(await stored(gateway.db, id)).toMatchObject({ status: 'pending', attempts: 4 });
  const endpoint = await ada.call('GET', `/v1/webhook-endpoints/${endpointId}`);
  expect(endpoint.body.pausedUntil).toBeNull();
  const [job, ...others] = await jobOf(endpointId);
  expect(others).toEqual([]);
  expect(Number(job?.runAt)).toBeLessThan(Date.now() + 5_000);
  expect(await violationsAt(endpointId)).toEqual([]);
});

test('retries at once, and one under a key that is sent twice, owe one job', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await endDelivery(gateway.db, id, 'failed');
  const answers = await Promise.all(Array.from({ length: 8 }, () => retry(ada, id)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(await jobOf(endpointId)).toHaveLength(1);
  await endDelivery(gateway.db, id, 'failed');
  const key = freshKey();
  await retry(ada, id, key);
  await endDelivery(gateway.db, id, 'failed');
  const again = await retry(ada, id, key);
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
  expect((await stored(gateway.db, id)).status).toBe('failed');
});

test('nothing is retried at an endpoint that is disabled', async () => {
  const { id: endpointId } = await addEndpoint(ada);
  const id = await addDelivery(gateway.db, ada, endpointId);
  await endDelivery(gateway.db, id, 'failed');
  await ada.call('PATCH', `/v1/webhook-endpoints/${endpointId}`, { body: { enabled: false } });
  const { status, body } = await retry(ada, id);
  expect([status, body.code]).toEqual([409, 'webhook_endpoint_disabled']);
  expect((await stored(gateway.db, id)).status).toBe('failed');
  expect(await jobOf(endpointId)).toEqual([]);
});
