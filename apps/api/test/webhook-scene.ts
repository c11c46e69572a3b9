import type { Database } from '@gatehouse/db/client';
import { checkInvariants } from '@gatehouse/db/invariants';
import { publishBatch } from '@gatehouse/jobs/publish-batch';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { publishTestEvents } from '@gatehouse/testing/webhooks';
import type { Gateway } from './harness.ts';

type Call = Gateway['call'];

/** A public address, which no name server is asked for. Nobody sends anything in these tests. */
export const HOOK_URL = 'https://93.184.215.14/hooks';

/** An endpoint that listens to tests of itself only, unless told otherwise. The answer to its creation. */
export async function addEndpoint(
  { call }: { call: Call },
  settings: Record<string, unknown> = {},
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever an answer holds
): Promise<any> {
  const body = { url: HOOK_URL, eventTypes: ['webhook_endpoint.test'], ...settings };
  const created = await call('POST', '/v1/webhook-endpoints', { body });
  if (created.status !== 201) throw new Error(`the creation answered ${created.text}`);
  return created.body;
}

/** Publishes what there is, as the worker does; the jobs that are owed for it are handed to nobody. */
export async function publish(db: Database): Promise<void> {
  await publishTestEvents(db, createIdleLedger());
}

/** The same, with the jobs handed to Redis. Returns how many events there were. */
export async function publishWithJobs({ app }: Gateway): Promise<number> {
  const published = await app.transaction((tx) => publishBatch(tx, app.jobs, 1_000));
  return published?.events ?? 0;
}

/** A delivery of a test event to an endpoint. Returns its id. */
export async function addDelivery(
  db: Database,
  { call }: { call: Call },
  endpointId: string,
): Promise<string> {
  const sent = await call('POST', `/v1/webhook-endpoints/${endpointId}/test`);
  if (sent.status !== 202) throw new Error(`the test answered ${sent.text}`);
  await publish(db);
  const { eventId } = sent.body;
  const found = await db.webhookDelivery.findFirstOrThrow({ where: { eventId, endpointId } });
  return found.id;
}

/** As if its attempts had come to this, and the job of its endpoint had settled when it was the last. */
export async function endDelivery(
  db: Database,
  id: string,
  status: 'succeeded' | 'failed' | 'canceled',
): Promise<void> {
  const { endpointId } = await db.webhookDelivery.update({
    where: { id },
    data: { status, nextAttemptAt: null, endedAt: new Date(), attempts: 3 },
  });
  const pending = await db.webhookDelivery.count({ where: { endpointId, status: 'pending' } });
  const job = { name: 'deliver-webhooks', subjectId: endpointId };
  if (pending === 0) await db.job.deleteMany({ where: job });
}

/** What breaks an invariant. */
export async function violations(db: Database): Promise<string[]> {
  const results = await checkInvariants(db);
  return results.flatMap(({ name, violations }) => violations.map((one) => `${name}: ${one}`));
}
