import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listen } from './listen.ts';
import { countPeaks } from './peaks.ts';

/** `hang`: never answered. `break`: the connection is. `slow`: the answer comes a byte at a time, without an end. */
export type ReceiverAnswer =
  | 'ok'
  | 'hang'
  | 'break'
  | 'slow'
  | { status: number; headers?: Record<string, string>; body?: string | Buffer; afterMs?: number };

export interface ReceivedRequest {
  path: string;
  headers: IncomingHttpHeaders;
  /** The very bytes. */
  body: Buffer;
  /** Milliseconds of `performance.now()`. */
  at: number;
}

export interface Receiver {
  /** Of the endpoint with this path; of the server without one. */
  url(path?: string): string;
  /** How requests to a path are answered from now on; a function is asked for each. */
  answer(
    path: string,
    answer: ReceiverAnswer | ((request: ReceivedRequest) => ReceiverAnswer),
  ): void;
  /** What came in, in its order; to one path when it is given. */
  received(path?: string): ReceivedRequest[];
  /** How many requests of a path were under way at once at most. */
  mostAtOnce(path: string): number;
  close(): Promise<void>;
}

/** A real server for webhooks, on a port of 127.0.0.1: it says 200, unless told otherwise. */
export async function startReceiver(): Promise<Receiver> {
  const answers = new Map<string, (request: ReceivedRequest) => ReceiverAnswer>();
  const requests: ReceivedRequest[] = [];
  const underWay = countPeaks();
  const server = createServer(async (message, response) => {
    const { url: path = '', headers } = message;
    underWay.begin(path);
    response.on('close', () => underWay.end(path));
    // Whoever breaks off has sent nothing: worth no failure of the tests' process.
    const body = await buffer(message).catch(() => null);
    if (body === null) return;
    const request = { path, headers, body, at: performance.now() };
    requests.push(request);
    give(response, answers.get(path)?.(request) ?? 'ok');
  });
  const port = await listen(server);
  return {
    url: (path = '') => `http://127.0.0.1:${port}${path}`,
    answer: (path, answer) =>
      answers.set(path, typeof answer === 'function' ? answer : () => answer),
    received: (path) => requests.filter((each) => path === undefined || each.path === path),
    mostAtOnce: underWay.most,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function give(response: ServerResponse, answer: ReceiverAnswer): void {
  switch (answer) {
    case 'hang':
      return;
    case 'ok':
      response.end();
      return;
    case 'break':
      response.destroy();
      return;
    case 'slow': {
      response.writeHead(200);
      const timer = setInterval(() => response.write('.'), 200);
      response.on('close', () => clearInterval(timer));
      return;
    }
    default: {
      const { status, headers, body, afterMs = 0 } = answer;
      setTimeout(() => response.writeHead(status, headers).end(body), afterMs);
    }
  }
}
