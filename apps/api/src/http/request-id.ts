import type { IncomingMessage } from 'node:http';
import { newId } from '@gatehouse/domain/id';

const SANE = /^[A-Za-z0-9._-]{1,128}$/;

/** The client's own `X-Request-Id` when it is a sane token, otherwise a new one. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) ? given : newId();
}
