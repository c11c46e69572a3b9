import { newId } from '@gatehouse/domain/id';
import { addEndpoint, HOOK_URL } from '../webhook-scene.ts';
import type { KeyedRoute, Kit } from './keyed-route.ts';
import { TEST_URL } from './test-url.ts';

/** Two endpoints of the person's, which he has or is given: there is an end to how many he may have. */
async function endpoints({ db, person }: Kit): Promise<[string, string]> {
  const { accountId } = person;
  const where = { accountId, deletedAt: null, disabledReason: null };
  const had = await db.webhookEndpoint.findMany({ where, take: 2, orderBy: { id: 'asc' } });
  const [first, second] = had.map(({ id }) => id);
  return [first ?? (await addEndpoint(person)).id, second ?? (await addEndpoint(person)).id];
}

/** Gives up endpoints that earlier scenes were given: there is an end to how many one may have. */
async function makeRoom({ db, person: { accountId } }: Kit): Promise<void> {
  const where = { accountId, deletedAt: null, url: TEST_URL };
  const orderBy = { id: 'desc' } as const;
  const old = await db.webhookEndpoint.findMany({ where, orderBy, skip: NEEDED_STILL });
  await db.webhookEndpoint.updateMany({
    where: { id: { in: old.map(({ id }) => id) } },
    data: { deletedAt: new Date() },
  });
}

/** By scenes that are under way. */
const NEEDED_STILL = 20;

export const WEBHOOK_ENDPOINTS: readonly KeyedRoute[] = [
  {
    method: 'POST',
    route: '/v1/webhook-endpoints',
    role: 'user',
    status: 201,
    effect: [
      'INSERT audit_entry',
      'INSERT event',
      'INSERT webhook_endpoint',
      'INSERT webhook_subscription',
    ],
    hasLocation: true,
    prepare: async (kit) => {
      await makeRoom(kit);
      const path = '/v1/webhook-endpoints';
      const body = { url: HOOK_URL, eventTypes: ['webhook_endpoint.test'] };
      return { ask: { path, body }, other: { path, body: { ...body, ordered: true } } };
    },
    respell: { maxConcurrency: 10, ordered: false },
    refused: {
      path: '/v1/webhook-endpoints',
      body: { url: 'https://127.0.0.1/', eventTypes: ['*'] },
      status: 422,
    },
  },
  {
    method: 'PATCH',
    route: '/v1/webhook-endpoints/:id',
    role: 'user',
    status: 200,
    effect: ['INSERT audit_entry', 'INSERT event', 'UPDATE webhook_endpoint'],
    prepare: async (kit) => {
      const [first, second] = await endpoints(kit);
      const body = { description: newId() };
      return {
        ask: { path: `/v1/webhook-endpoints/${first}`, body },
        other: { path: `/v1/webhook-endpoints/${second}`, body },
      };
    },
    refused: {
      path: `/v1/webhook-endpoints/${newId()}`,
      body: { description: 'a' },
      status: 404,
    },
  },
  {
    method: 'POST',
    route: '/v1/webhook-endpoints/:id/rotate-secret',
    role: 'user',
    status: 200,
    effect: ['INSERT audit_entry', 'INSERT event', 'UPDATE webhook_endpoint'],
    prepare: async (kit) => {
      const path = `/v1/webhook-endpoints/${(await endpoints(kit))[0]}/rotate-secret`;
      return { ask: { path, body: {} }, other: { path, body: { overlapSeconds: 60 } } };
    },
    respell: { overlapSeconds: 86_400 },
    refused: { path: `/v1/webhook-endpoints/${newId()}/rotate-secret`, body: {}, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/webhook-endpoints/:id/test',
    role: 'user',
    status: 202,
    effect: ['INSERT event'],
    prepare: async (kit) => {
      const [first, second] = await endpoints(kit);
      return {
        ask: { path: `/v1/webhook-endpoints/${first}/test` },
        other: { path: `/v1/webhook-endpoints/${second}/test` },
      };
    },
    refused: { path: `/v1/webhook-endpoints/${newId()}/test`, status: 404 },
  },
];
