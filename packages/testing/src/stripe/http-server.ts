import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { listen } from '../listen.ts';
import { type Answer, answer, refusalAnswer } from './answer.ts';
import { API_VERSION } from './event-log.ts';
import type { PageHandler } from './fake.ts';
import type { Fault, Faults } from './faults.ts';
import { Form } from './form.ts';
import { createIdempotency } from './idempotency.ts';
import type { Journal } from './journal.ts';
import { Refusal } from './refusal.ts';
import type { Router } from './routes.ts';
import { newId } from './values.ts';

interface ServerParts {
  readonly port: number;
  readonly apiKey: string;
  readonly router: Router;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly onRequest: () => void;
  readonly page: () => PageHandler | null;
}

export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Speaks Stripe's HTTP on a port of 127.0.0.1: keys, request ids, idempotency, error objects, and faults. */
export async function startServer(parts: ServerParts): Promise<RunningServer> {
  const { apiKey, router, faults } = parts;
  const idempotently = createIdempotency(parts.journal);
  const ending = new AbortController();

  async function perform(
    request: IncomingMessage,
    body: string,
    requestId: string,
    lateMs: number,
  ) {
    const { method = '', url = '/', headers } = request;
    const { pathname, search } = new URL(url, 'http://127.0.0.1');
    checkKey(headers.authorization, apiKey);
    const key = headers['idempotency-key'];
    const isKeyed = method === 'POST' && typeof key === 'string' && key !== '';
    const cause = { id: requestId, idempotency_key: isKeyed ? key : null };
    const work = async (): Promise<Answer> => {
      const form = new Form(method === 'POST' ? body : search);
      const done = answer(200, router(method, pathname, form, cause));
      if (lateMs > 0) await delay(lateMs, undefined, { signal: ending.signal });
      return done;
    };
    if (!isKeyed) return work();
    return idempotently({ key, endpoint: `${method} ${pathname}`, body, requestId }, work);
  }

  function send(request: IncomingMessage, response: ServerResponse, id: string, made: Answer) {
    const key = request.headers['idempotency-key'];
    response.writeHead(made.status, {
      'content-type': 'application/json',
      'request-id': id,
      'stripe-version': request.headers['stripe-version'] ?? API_VERSION,
      ...(key !== undefined && { 'idempotency-key': key }),
      ...made.headers,
    });
    response.end(made.text);
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/' } = request;
    const body = await text(request);
    const target = URL.parse(url, 'http://127.0.0.1');
    if (target === null) {
      response.writeHead(400).end();
      return;
    }
    const { pathname } = target;
    const page = parts.page();
    if (page && (pathname === '/' || pathname.startsWith('/page/'))) {
      page(request, body, response);
      return;
    }
    parts.onRequest();
    const requestId = newId('req');
    const fault = faults.next(method, pathname);
    const unmet = withoutDoing(fault);
    if (unmet) {
      send(request, response, requestId, unmet);
      return;
    }
    if (fault === 'hang') return;
    if (fault === 'refuse') {
      request.socket.destroy();
      return;
    }
    const lateMs =
      fault !== null && typeof fault === 'object' && 'delayMs' in fault ? fault.delayMs : 0;
    const done = await perform(request, body, requestId, lateMs).catch(refusalAnswer);
    if (fault === 'hang after accepting') return;
    if (fault === 'cut after accepting') request.socket.destroy();
    else send(request, response, requestId, done);
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      // A client that gives up, and the end, are no faults of ours; anything else should be seen.
      if (request.complete && !ending.signal.aborted) console.error(error);
      response.destroy();
    });
  });
  const port = await listen(server, parts.port);
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      ending.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function withoutDoing(fault: Fault | null): Answer | null {
  if (fault === null || typeof fault === 'string' || !('status' in fault)) return null;
  const message = 'An unknown error occurred.';
  return answer(fault.status, { error: { type: 'api_error', message } });
}

function checkKey(authorization: string | undefined, apiKey: string): void {
  if (authorization === `Bearer ${apiKey}`) return;
  const message =
    authorization === undefined
      ? 'You did not provide an API key.'
      : `Invalid API Key provided: ${'*'.repeat(8)}${authorization.slice(-4)}`;
  throw new Refusal(401, { type: 'invalid_request_error', message });
}
