import type { StoredEndpoint } from '@gatehouse/db/webhook-endpoints';
import type { FastifyRequest } from 'fastify';
import { PreconditionFailed } from '../../errors.ts';
import { lists, versionTag } from '../../plugins/etag.ts';

/**
 * The entity tag of an endpoint: its version, and how it has fared since, which changes without its owner. So a reader
 * sees that, and nobody's change fails over it: see `assertVersion`.
 */
export function endpointTag(endpoint: StoredEndpoint): string {
  const { version, failingSince, pausedUntil } = endpoint;
  if (failingSince === null && pausedUntil === null) return versionTag({ version });
  return `"${version}-${failingSince?.getTime() ?? ''}-${pausedUntil?.getTime() ?? ''}"`;
}

/**
 * Holds the version of an endpoint, as it is now, against the request's `If-Match`.
 *
 * @throws {PreconditionFailed}
 */
export function assertVersion(request: FastifyRequest, endpoint: StoredEndpoint): void {
  const expected = request.headers['if-match'];
  if (expected === undefined) return;
  const versions = expected.replaceAll(/"(\d+)-\d*-\d*"/g, '"$1"');
  if (!lists(versions, versionTag(endpoint))) throw new PreconditionFailed();
}
