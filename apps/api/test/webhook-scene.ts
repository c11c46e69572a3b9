import type { Database } from '@gatehouse/db/client';
import { publishEvents } from '@gatehouse/db/event-publishing';
import { checkInvariants } from '@gatehouse/db/invariants';
import { transaction } from '@gatehouse/db/transaction';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
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

/** Publishes what there is, as the worker does; the jobs that are owed for it are left to the caller. */
export async function publish(db: Database): Promise<string[]> {
  const published = await transaction(db, (tx) => publishEvents(tx, 1_000));
  if (published === null) throw new Error('somebody else publishes');
  return published.endpoints.map(({ endpointId }) => endpointId);
}

/** As the worker does it: with the jobs. */
export async function publishWithJobs({ app }: Gateway): Promise<number> {
  return app.transaction(async (tx) => {
    const published = await publishEvents(tx, 1_000);
    if (published === null) return 0;
    const jobs = published.endpoints.map(({ endpointId }) => ({
      payload: { endpointId },
      requestId: null,
    }));
    await app.jobs.enqueueAll(tx, deliverWebhooks, jobs);
    return published.events;
  });
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

/** As if its attempts had come to this. */
export async function endDelivery(
  db: Database,
  id: string,
  status: 'succeeded' | 'failed' | 'canceled',
): Promise<void> {
  await db.webhookDelivery.updateMany({
    where: { id },
    data: { status, nextAttemptAt: null, endedAt: new Date(), attempts: 3 },
  });
}

/** What breaks an invariant. */
export async function violations(db: Database): Promise<string[]> {
  const results = await checkInvariants(db);
  return results.flatMap(({ name, violations }) => violations.map((one) => `${name}: ${one}`));
}
