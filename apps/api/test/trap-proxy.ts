import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** `request`: it is not passed on. `reply`: it is, and what is answered gets lost. */
export type Loses = 'request' | 'reply';

export interface TrapProxy {
  /** The URL with the proxy's address instead of the server's. */
  url: string;
  /**
   * Waits for `count` requests with the text. A connection that carries one passes nothing from there on, though it
   * stays open: not that request, or not its reply. Other connections go on. Resolves once all of them were met.
   */
  lose(what: Loses, text: RegExp, count: number): Promise<void>;
  /** Breaks the connections that lose something, and passes everything again. */
  breakOff(): void;
  close(): void;
}

interface Watch {
  what: Loses;
  text: RegExp;
  missing: number;
  sprung: () => void;
}

/**
 * Stands between a process and its server and stops at a given message, so that a test can kill the process at an
 * exact step. Small messages only: one that is cut in two by the network is not recognized.
 */
export async function startTrapProxy(target: string): Promise<TrapProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const losing = new Set<Socket>();
  let watch: Watch | undefined;

  const server = createServer((client) => {
    const upstream = connect({ port: Number(port), host: hostname, noDelay: true });
    client.setNoDelay(true);
    let lost: Loses | undefined;
    client.on('data', (data) => {
      const met = watch === undefined ? 0 : data.toString('latin1').split(watch.text).length - 1;
      if (watch !== undefined && met > 0) {
        lost = watch.what;
        losing.add(client).add(upstream);
        watch.missing -= met;
        if (watch.missing <= 0) watch.sprung();
      }
      if (lost !== 'request') upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (lost === undefined) client.write(data);
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      // An error closes the socket, which is all that matters here.
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        losing.delete(from);
        to.destroy();
      });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const url = new URL(target);
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href.replace(/\/$/, ''),
    lose(what, text, count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      watch = { what, text, missing: count, sprung: resolve };
      return promise;
    },
    breakOff() {
      watch = undefined;
      for (const socket of losing) socket.destroy();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
