import type { Transaction } from '@gatehouse/db/client';
import { findUserById } from '@gatehouse/db/users';
import { lockEndpoint, type StoredEndpoint } from '@gatehouse/db/webhook-endpoints';
import type { FastifyRequest } from 'fastify';
import { NotFound, Unauthorized } from '../../errors.ts';
import { assertVersion } from './tags.ts';

type EndpointRequest = FastifyRequest<{ Params: { id: string } }>;

/**
 * The endpoint that a mutation is about, locked, in the version that its client knows. Who changes what it hears has
 * locked the log before.
 *
 * @throws {NotFound} {PreconditionFailed}
 */
export async function takeEndpoint(
  tx: Transaction,
  request: EndpointRequest,
): Promise<StoredEndpoint> {
  const endpoint = await lockEndpoint(tx, request.principal.accountId, request.params.id);
  if (endpoint === null) throw new NotFound('webhook endpoint');
  assertVersion(request, endpoint);
  return endpoint;
}

/**
 * Holds that who asks is still active, for a transaction that holds the log: who is deactivated holds it as well, so that
 * nothing he asks for at that moment outlasts it.
 *
 * @throws {Unauthorized}
 */
export async function assertActive(tx: Transaction, { principal }: FastifyRequest): Promise<void> {
  const user = await findUserById(tx, principal.userId);
  if (user === null || user.deactivatedAt !== null) throw new Unauthorized();
}

/** When and by which request something happens. */
export function occasionOf(request: FastifyRequest): { at: Date; requestId: string } {
  return { at: new Date(), requestId: request.id };
}
