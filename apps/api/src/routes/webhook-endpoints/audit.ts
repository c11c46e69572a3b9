import { type Act, recordAct } from '@gatehouse/db/audit';
import type { Transaction } from '@gatehouse/db/client';
import type { StoredEndpoint } from '@gatehouse/db/webhook-endpoints';
import type { FastifyRequest } from 'fastify';
import { actorOf } from '../../auth/actor.ts';

/** Writes down what somebody did to an endpoint. Of its URL the host alone: paths of receivers are secrets now and then. */
export async function recordEndpointAct(
  tx: Transaction,
  request: FastifyRequest,
  { id, url }: StoredEndpoint,
  action: Act['action'],
  details: Act['details'] = {},
): Promise<void> {
  await recordAct(tx, actorOf(request), {
    action,
    subjectType: 'webhook_endpoint',
    subjectId: id,
    details: { host: new URL(url).host, ...details },
  });
}
