import { newId } from '@gatehouse/domain/id';
import { createTestEndpoint } from '@gatehouse/testing/webhooks';
import { addDelivery, endDelivery } from '../webhook-scene.ts';
import type { Ask, KeyedRoute, Kit } from './keyed-route.ts';
import { TEST_URL } from './test-url.ts';

/** Listens to what does not happen here: other scenes owe it no job. */
const QUIET = { url: TEST_URL, eventTypes: ['task.due'] };

/** Paths of two deliveries that have failed, each at an endpoint of its own, which has one job at most. */
async function failedDeliveries({ db, person }: Kit): Promise<{ ask: Ask; other: Ask }> {
  const failed = async (): Promise<Ask> => {
    const endpointId = await createTestEndpoint(db, person.accountId, QUIET);
    const id = await addDelivery(db, person, endpointId);
    await endDelivery(db, id, 'failed');
    return { path: `/v1/webhook-deliveries/${id}/retry` };
  };
  return { ask: await failed(), other: await failed() };
}

/** Of a new endpoint: one may have one replay at a time. */
async function replayPath({ db, person }: Kit): Promise<string> {
  return `/v1/webhook-endpoints/${await createTestEndpoint(db, person.accountId, QUIET)}/replay`;
}

/** Paths that cancel two replays that are running. */
async function runningReplays(kit: Kit): Promise<{ ask: Ask; other: Ask }> {
  const begin = async (): Promise<Ask> => {
    const { body } = await kit.person.call('POST', await replayPath(kit), { body: SINCE });
    return { path: `/v1/webhook-replays/${body.id}/cancel` };
  };
  return { ask: await begin(), other: await begin() };
}

const SINCE = { since: '2026-11-01T00:00:00.000Z' };

/** Deliveries that are sent again: one, or all of a time. */
export const WEBHOOK_DELIVERIES: readonly KeyedRoute[] = [
  {
    method: 'POST',
    route: '/v1/webhook-deliveries/:id/retry',
    role: 'user',
    status: 202,
    effect: ['INSERT job', 'UPDATE webhook_delivery'],
    prepare: failedDeliveries,
    refused: { path: `/v1/webhook-deliveries/${newId()}/retry`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/webhook-endpoints/:id/replay',
    role: 'user',
    status: 202,
    effect: ['INSERT audit_entry', 'INSERT job', 'INSERT job', 'INSERT webhook_replay'],
    hasLocation: true,
    prepare: async (kit) => ({
      ask: { path: await replayPath(kit), body: SINCE },
      other: { path: await replayPath(kit), body: { ...SINCE, onlyFailed: true } },
    }),
    respell: { onlyFailed: false },
    refused: { path: `/v1/webhook-endpoints/${newId()}/replay`, body: SINCE, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/webhook-replays/:id/cancel',
    role: 'user',
    status: 202,
    effect: ['DELETE job', 'INSERT audit_entry', 'UPDATE webhook_replay'],
    prepare: runningReplays,
    refused: { path: `/v1/webhook-replays/${newId()}/cancel`, status: 404 },
  },
];
