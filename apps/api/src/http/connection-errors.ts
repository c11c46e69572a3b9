import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { newId } from '@gatehouse/domain/id';
import type { FastifyError } from 'fastify';
import { BadRequest, HeadersTooLarge, MethodNotAllowed, RequestTimeout } from '../errors.ts';
import { PROBLEM_TYPE, toProblem } from '../problem.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** Milliseconds for a client to read its answer before the socket is gone, with what he sent unread. */
const LINGER_MS = 1_000;

export interface ConnectionErrors {
  /** For Node's `clientError`: answers what its parser could not make a request of, or what came too slowly. */
  onClientError(error: NodeJS.ErrnoException, socket: Socket): void;
  /** Has the server tell of its requests, so that no answer is put before, or into, that to another. */
  watch(server: Server): void;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** Node's codes for requests that end before they are requests. */
function problemOf(code: string | undefined): FastifyError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new HeadersTooLarge();
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestTimeout();
    default:
      return new BadRequest();
  }
}

/** Answers on a bare connection, in the words of every other error. */
export function createConnectionErrors(publicUrl: string): ConnectionErrors {
  /** What is not answered in full, in the order in which it came. */
  const open = new WeakMap<Socket, Set<Exchange>>();
  /** Their clients send on what cannot be understood: one answer is enough. */
  const refused = new WeakSet<Socket>();

  const refuse = (socket: Socket, answer: string): void => {
    const exchanges = [...(open.get(socket) ?? [])];
    const owed = exchanges.find(({ request, response }) => request.complete && !response.closed);
    if (owed !== undefined) {
      // Whoever pipelines takes the first answer for that to his first request, which may well be carried out.
      owed.response.once('close', () => refuse(socket, answer));
      return;
    }
    const isAnswered = exchanges.some(
      ({ request, response }) => !request.complete && response.headersSent,
    );
    if (isAnswered || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(answer);
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  };

  return {
    onClientError(error, socket) {
      // Nobody is left to be answered.
      if (error.code === 'ECONNRESET' || !socket.writable) {
        socket.destroy();
        return;
      }
      if (refused.has(socket)) return;
      refused.add(socket);
      refuse(socket, render(problemOf(error.code), publicUrl));
    },
    watch(server) {
      server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
        const { socket } = request;
        const exchanges = open.get(socket) ?? new Set();
        open.set(socket, exchanges);
        const exchange = { request, response };
        exchanges.add(exchange);
        // Answered, and yet open while its body still arrives.
        const settle = (): void => {
          if (response.closed && request.closed) exchanges.delete(exchange);
        };
        response.once('close', settle);
        request.once('close', settle);
      });
      // This is no proxy. An empty `Allow`: there is no method that a foreign authority takes (RFC 9110, section 10.2.1).
      server.on('connect', (_request: IncomingMessage, socket: Socket) =>
        refuse(socket, render(new MethodNotAllowed(), publicUrl, { allow: '' })),
      );
    },
  };
}

function render(error: FastifyError, publicUrl: string, more: Record<string, string> = {}): string {
  const problem = toProblem(error, newId(), publicUrl);
  const body = JSON.stringify(problem);
  const headers = {
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    'x-request-id': problem.requestId,
    connection: 'close',
    ...SECURITY_HEADERS,
    ...more,
  };
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');
}
