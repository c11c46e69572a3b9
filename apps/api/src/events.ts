import type { Transaction } from '@gatehouse/db/client';
import { insertEvents, type NewEvent } from '@gatehouse/db/events';
import { newId } from '@gatehouse/domain/id';
import type { FastifyRequest } from 'fastify';

/** Writes down what a request has done to an account, in the transaction that does it. */
export async function tell(
  tx: Transaction,
  { id: requestId }: FastifyRequest,
  event: Pick<NewEvent, 'accountId' | 'type' | 'data'>,
): Promise<void> {
  await insertEvents(tx, [{ id: newId(), ...event, requestId, at: new Date() }]);
}
