import type { Queryable, Transaction } from './client.ts';
import type { WebhookEndpoint } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';
import { type Occasion, tellOf } from './webhook-endpoint-events.ts';
import { subscribe } from './webhook-subscriptions.ts';

/** An endpoint with its sealed secrets: shown by `endpointView` only. It is enabled when it has no `disabledReason`. */
export type StoredEndpoint = WebhookEndpoint;

/** What its owner sets. */
export type EndpointSettings = Pick<
  StoredEndpoint,
  'url' | 'description' | 'eventTypes' | 'rateLimitPerSecond' | 'maxConcurrency' | 'ordered'
>;

export interface NewEndpoint extends EndpointSettings {
  id: string;
  accountId: string;
  sealedSecret: Uint8Array<ArrayBuffer>;
}

/** Endpoints that an account may have. */
export const MAX_ENDPOINTS = 50;

/**
 * Inserts an endpoint that hears what comes after `lastSeq`, for a transaction that holds the log (`lockEventLog`) at
 * this place. Null when the account has `MAX_ENDPOINTS` already: exact, since of those who hold the log there is one.
 */
export async function insertEndpoint(
  tx: Transaction,
  endpoint: NewEndpoint,
  lastSeq: bigint,
  occasion: Occasion,
): Promise<StoredEndpoint | null> {
  const { accountId } = endpoint;
  const count = await tx.webhookEndpoint.count({ where: { accountId, deletedAt: null } });
  if (count >= MAX_ENDPOINTS) return null;
  const { at } = occasion;
  const created = await tx.webhookEndpoint.create({
    data: { ...endpoint, createdAt: at, updatedAt: at },
  });
  await subscribe(tx, created.id, created.eventTypes, lastSeq);
  await tellOf(tx, created, 'created', occasion);
  return created;
}

/** An endpoint of the account that is not deleted. */
export async function findEndpoint(
  db: Queryable,
  accountId: string,
  id: string,
): Promise<StoredEndpoint | null> {
  return db.webhookEndpoint.findFirst({ where: { id, accountId, deletedAt: null } });
}

/** Whether the account has, or had, this endpoint. */
export async function knowsEndpoint(
  db: Queryable,
  accountId: string,
  id: string,
): Promise<boolean> {
  return (await db.webhookEndpoint.count({ where: { id, accountId } })) === 1;
}

export async function listEndpoints(
  db: Queryable,
  accountId: string,
  request: PageRequest,
): Promise<Page<StoredEndpoint>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.webhookEndpoint.findMany({
    ...page,
    where: { ...where, accountId, deletedAt: null },
  });
  return toPage(rows, request);
}

/**
 * `findEndpoint`, locked until the transaction ends. Whoever will change what it hears has locked the log before
 * (`lockEventLog`).
 */
export async function lockEndpoint(
  tx: Transaction,
  accountId: string,
  id: string,
): Promise<StoredEndpoint | null> {
  await tx.$executeRaw`
    SELECT 1 FROM webhook_endpoint WHERE id = ${id}::uuid AND account_id = ${accountId}::uuid FOR NO KEY UPDATE`;
  return findEndpoint(tx, accountId, id);
}
