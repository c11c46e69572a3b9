import type { Transaction } from '@gatehouse/db/client';
import { newId } from '@gatehouse/domain/id';
import { replayWebhooks } from '@gatehouse/jobs/definitions/replay-webhooks';
import { lockWaiter } from '@gatehouse/testing/locks';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { jobsOf, newTask, PATH } from './webhook-endpoint-scene.ts';
import {
  addDelivery,
  addEndpoint,
  endDelivery,
  publishWithJobs,
  violations,
} from './webhook-scene.ts';

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

test('a deletion has what was not sent canceled, ends replays, and keeps what was sent', async () => {
  const { id } = await addEndpoint(ada, { eventTypes: ['task.*'] });
  const done = await addDelivery(gateway.db, ada, id);
  await endDelivery(gateway.db, done, 'succeeded');
  await gateway.db.webhookAttempt.create({
    data: { deliveryId: done, id: newId(), at: new Date(), statusCode: 204, durationMs: 1 },
  });
  await newTask(ada);
  await publishWithJobs(gateway);
  const dead = { state: 'dead', attempts: 3, lastError: 'no' } as const;
  await gateway.db.job.updateMany({ where: { subjectId: id }, data: dead });
  const replayId = newId();
  const { accountId } = ada;
  const window = { since: new Date(0), until: new Date(), position: 0n, endSeq: 1n, total: 1 };
  await gateway.app.transaction(async (tx) => {
    await tx.webhookReplay.create({
      data: { id: replayId, accountId, endpointId: id, onlyFailed: false, ...window },
    });
    await gateway.app.jobs.enqueue(tx, replayWebhooks, { replayId }, { requestId: 'r' });
  });
  expect(await violations(gateway.db)).toEqual([]);

  expect((await ada.call('DELETE', `${PATH}/${id}`)).status).toBe(204);
  expect(await jobsOf(gateway.db, replayId)).toEqual([]);
  const [job, ...others] = await jobsOf(gateway.db, id);
  expect([job?.name, job?.attempts, others]).toEqual(['deliver-webhooks', 0, []]);
  expect(job?.state).not.toBe('dead');
  const replay = await gateway.db.webhookReplay.findUniqueOrThrow({ where: { id: replayId } });
  expect(replay.status).toBe('canceled');
  await newTask(ada);
  await publishWithJobs(gateway);
  const left = await ada.call('GET', `${PATH}/${id}/deliveries`);
  expect(left.body.data.map(({ status }: { status: string }) => status)).toEqual([
    'canceled',
    'succeeded',
  ]);
  // Nobody has come by to write it down: it is shown so all the same.
  const waiting = { endpointId: id, status: 'pending' } as const;
  expect(await gateway.db.webhookDelivery.count({ where: waiting })).toBe(1);
  expect(left.body.data[0]).toMatchObject({ endedAt: expect.any(String), nextAttemptAt: null });
  for (const [status, count] of [
    ['pending', 0],
    ['undelivered', 0],
    ['canceled', 1],
  ] as const) {
    const found = await ada.call('GET', `${PATH}/${id}/deliveries?status=${status}`);
    expect([status, found.body.data.length]).toEqual([status, count]);
  }
  expect((await ada.call('GET', `/v1/webhook-deliveries/${done}`)).status).toBe(200);
  const retried = await ada.call('POST', `/v1/webhook-deliveries/${done}/retry`);
  expect(retried.status).toBe(404);
  expect(await violations(gateway.db)).toEqual([]);
});

test('a deletion waits in no circle with whoever holds the jobs of an endpoint and of its replays', async () => {
  const { id } = await addEndpoint(ada, { eventTypes: ['task.*'] });
  await newTask(ada);
  await publishWithJobs(gateway);
  const replay = await ada.call('POST', `${PATH}/${id}/replay`, {
    body: { since: new Date(Date.now() - 60_000).toISOString() },
  });
  expect([
    replay.status,
    await jobsOf(gateway.db, id),
    await jobsOf(gateway.db, replay.body.id),
  ]).toMatchObject([202, [{ name: 'deliver-webhooks' }], [{ name: replayWebhooks.name }]]);
  const lockJobs = (tx: Transaction, subjectId: string) =>
    tx.$executeRaw`SELECT 1 FROM job WHERE subject_id = ${subjectId}::uuid FOR UPDATE`;
  // In the order in which everybody locks several.
  const [deletion] = await gateway.app.transaction(async (tx) => {
    await lockJobs(tx, id);
    const begun = ada.call('DELETE', `${PATH}/${id}`);
    await lockWaiter(gateway.db);
    await lockJobs(tx, replay.body.id);
    return [begun];
  });
  expect((await deletion).status).toBe(204);
  expect((await jobsOf(gateway.db, replay.body.id)).length).toBe(0);
  expect(await violations(gateway.db)).toEqual([]);
});
