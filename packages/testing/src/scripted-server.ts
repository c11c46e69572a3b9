import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { listen } from './listen.ts';

/** `hang`: never answered. `break`: the connection is. `stop` and `cut`: the same in the middle of the body. */
export type Script =
  | { status: number; headers?: Record<string, string>; body?: unknown }
  | 'hang'
  | 'break'
  | 'stop'
  | 'cut';

export interface ScriptedServer {
  url: string;
  /** What came in, in order. */
  requests: { method: string; path: string; headers: IncomingHttpHeaders; body: string }[];
  /** How many connections it has. */
  connections(): Promise<number>;
  /** Answers from now on, in order; the last one again and again. */
  play(...scripts: [Script, ...Script[]]): void;
}

/** A server that says what it is told to, true or not, on a port of 127.0.0.1, until the test ends. */
export async function scriptedServer(...scripts: [Script, ...Script[]]): Promise<ScriptedServer> {
  let queue: Script[] = [...scripts];
  const requests: ScriptedServer['requests'] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    requests.push({ method, path, headers, body: await text(request) });
    const [script] = queue;
    if (queue.length > 1) queue.shift();
    if (script === undefined || script === 'hang') return;
    if (script === 'break') return void request.socket.destroy();
    if (script === 'stop' || script === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
      response.write('{"id":', () => script === 'cut' && request.socket.destroy());
      return;
    }
    const { status, headers: given, body = '' } = script;
    response.writeHead(status, given);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    connections: promisify(server.getConnections.bind(server)),
    play: (...next) => {
      queue = next;
    },
  };
}

/** The address of a server that was there. */
export async function closedUrl(): Promise<string> {
  const server = createServer();
  const port = await listen(server);
  const url = `http://127.0.0.1:${port}`;
  server.close();
  await once(server, 'close');
  return url;
}

/** The https address of something that takes connections and never speaks, until the test ends. */
export async function silentServer(): Promise<string> {
  const held = new Set<Socket>();
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    held.add(socket);
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of held) socket.destroy();
    server.close();
  });
  return `https://127.0.0.1:${port}`;
}
