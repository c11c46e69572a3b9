import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from '@gatehouse/db/client';
import { type EndpointChange, updateEndpoint } from '@gatehouse/db/webhook-endpoint-changes';
import type { StoredEndpoint } from '@gatehouse/db/webhook-endpoints';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { recordEndpointAct } from './audit.ts';
import { occasionOf } from './locked-endpoint.ts';
import { oweWhatWaits } from './owe.ts';
import { switchEndpoint } from './switch.ts';

/** What is asked of an endpoint; what is undefined stays as it is. */
export interface WantedChange extends EndpointChange {
  enabled?: boolean | undefined;
}

/**
 * Changes an endpoint that the transaction has locked, writes that down, tells its owner's listeners, and owes it what may
 * be sent sooner now. What is as it is asked to be is no change.
 *
 * `lastSeq` is where the log is held when `eventTypes` or `enabled` are asked for.
 */
export async function applyChange(
  app: FastifyInstance,
  tx: Transaction,
  request: FastifyRequest,
  endpoint: StoredEndpoint,
  { enabled, ...wanted }: WantedChange,
  lastSeq: bigint | null,
): Promise<StoredEndpoint> {
  const occasion = occasionOf(request);
  const change = changeOf(endpoint, wanted);
  const changed = namesOf(change);
  const updated =
    changed.length === 0 ? endpoint : await updateEndpoint(tx, endpoint, change, lastSeq, occasion);
  const result = await switchEndpoint(tx, updated, enabled, occasion);
  if (result !== updated) changed.push('enabled');
  if (changed.length === 0) return endpoint;
  await oweWhatWaits(app.jobs, tx, endpoint, result, request.id);
  await recordEndpointAct(tx, request, result, 'webhook_endpoint.updated', {
    changed: changed.sort().join(' '),
    enabled: result.disabledReason === null,
    ...(change.eventTypes && { eventTypes: result.eventTypes.join(' ') }),
  });
  return result;
}

function changeOf(endpoint: StoredEndpoint, wanted: EndpointChange): EndpointChange {
  return {
    url: unless(endpoint.url, wanted.url),
    description: unless(endpoint.description, wanted.description),
    eventTypes: unless(endpoint.eventTypes, wanted.eventTypes),
    rateLimitPerSecond: unless(endpoint.rateLimitPerSecond, wanted.rateLimitPerSecond),
    maxConcurrency: unless(endpoint.maxConcurrency, wanted.maxConcurrency),
    ordered: unless(endpoint.ordered, wanted.ordered),
  } satisfies Required<EndpointChange>;
}

/** What is wanted, unless it is so already. */
function unless<T>(is: T, wanted: T | undefined): T | undefined {
  return isDeepStrictEqual(is, wanted) ? undefined : wanted;
}

function namesOf(change: EndpointChange): string[] {
  return Object.entries(change).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}
