import { newId } from '@gatehouse/domain/id';
import { endpointEventView } from '@gatehouse/domain/webhook-endpoint-view';
import type { Transaction } from './client.ts';
import { insertEvents } from './events.ts';
import type { WebhookEndpoint } from './generated/client.ts';

/** When something happened, and the request that did it. */
export interface Occasion {
  at: Date;
  requestId: string | null;
}

/** Writes the event that an endpoint is to be told for a test, and nobody else. Returns its id. */
export async function testEndpoint(
  tx: Transaction,
  endpoint: WebhookEndpoint,
  occasion: Occasion,
): Promise<string> {
  return tellOf(tx, endpoint, 'test', occasion);
}

type Happening =
  | 'created'
  | 'updated'
  | 'enabled'
  | 'disabled'
  | 'deleted'
  | 'secret_rotated'
  | 'test';

/** Writes down what happened to an endpoint, as it is now. Returns the id of the event. */
export async function tellOf(
  tx: Transaction,
  endpoint: WebhookEndpoint,
  happening: Happening,
  { at, requestId }: Occasion,
): Promise<string> {
  const id = newId();
  const { accountId } = endpoint;
  const type = `webhook_endpoint.${happening}` as const;
  const told =
    happening === 'test'
      ? {
          data: { endpointId: endpoint.id, message: 'This is a test.' },
          onlyEndpointId: endpoint.id,
        }
      : { data: endpointEventView(endpoint) };
  await insertEvents(tx, [{ id, accountId, type, requestId, at, ...told }]);
  return id;
}
