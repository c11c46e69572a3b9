import type { FastifyHttpOptions, RawServerDefault } from 'fastify';
import type { Config } from '../config.ts';

export const BODY_LIMIT_BYTES = 1024 * 1024;

/** Request line and headers together. Node counts them; beyond it is 431. */
const HEADERS_LIMIT_BYTES = 16 * 1024;

/**
 * Longer than the longest parameter that a route takes: a `clientOrderId` of 128 characters, each four bytes of UTF-8,
 * percent-encoded. Fastify's own limit of 100 refuses some that were accepted.
 */
const PARAMETER_LIMIT = 128 * 4 * 3;

type ServerLimits = Pick<
  FastifyHttpOptions<RawServerDefault>,
  | 'bodyLimit'
  | 'requestTimeout'
  | 'connectionTimeout'
  | 'keepAliveTimeout'
  | 'maxRequestsPerSocket'
  | 'routerOptions'
  | 'http'
>;

/** What a connection may cost: a client that is slow on purpose, or by accident, must not hold a socket for ever. */
export function serverLimits({
  HEADERS_TIMEOUT_SECONDS,
  REQUEST_TIMEOUT_SECONDS,
}: Pick<Config, 'HEADERS_TIMEOUT_SECONDS' | 'REQUEST_TIMEOUT_SECONDS'>): ServerLimits {
  return {
    bodyLimit: BODY_LIMIT_BYTES,
    // From the first byte of a request to its last.
    requestTimeout: REQUEST_TIMEOUT_SECONDS * 1_000,
    // Nothing sent or received: the client is gone, or does not read its answer.
    connectionTimeout: 60_000,
    // Longer than a load balancer keeps an idle connection (60 s at most by default): the one that closes first must
    // be the balancer, or it sends a request into a connection that is being closed.
    keepAliveTimeout: 72_000,
    maxRequestsPerSocket: 0,
    routerOptions: { caseSensitive: true, maxParamLength: PARAMETER_LIMIT },
    http: {
      headersTimeout: Math.min(HEADERS_TIMEOUT_SECONDS, REQUEST_TIMEOUT_SECONDS) * 1_000,
      // How late the two time-outs are noticed at most; Node's own is 30 s.
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: HEADERS_LIMIT_BYTES,
      // The plugin `framing` answers, with a problem.
      requireHostHeader: false,
    },
  };
}
