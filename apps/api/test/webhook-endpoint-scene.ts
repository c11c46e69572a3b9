import type { Database } from '@gatehouse/db/client';
import type { Gateway } from './harness.ts';
import { HOOK_URL } from './webhook-scene.ts';

export const PATH = '/v1/webhook-endpoints';

/** What events tell of `HOOK_URL`. */
export const { origin: ORIGIN } = new URL(HOOK_URL);

/** An event for whoever listens to tasks. */
export const newTask = ({ call }: Pick<Gateway, 'call'>) =>
  call('POST', '/v1/tasks', { body: { title: 'a' } });

export const jobsOf = (db: Database, subjectId: string) =>
  db.job.findMany({ where: { subjectId } });

/** The types of what an endpoint is told or was, in its order. */
export async function typesHeard(db: Database, endpointId: string) {
  const deliveries = await db.webhookDelivery.findMany({
    where: { endpointId },
    include: { event: true },
    orderBy: { sequence: 'asc' },
  });
  return deliveries.map(({ event }) => event.type);
}

/** What has been told of an endpoint itself, oldest first. */
export async function eventsOf(db: Database, endpointId: string) {
  const events = await db.event.findMany({ orderBy: { insertion: 'asc' } });
  return events
    .filter(({ data }) => JSON.stringify(data).includes(endpointId))
    .map(({ type, data, requestId }) => ({ type, data, requestId }));
}
