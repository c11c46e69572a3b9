import { connect, createServer, type Socket } from 'node:net';
import { listen } from './listen.ts';

export interface TcpProxy {
  /** The URL with the proxy's address instead of the server's. */
  url: string;
  /** Breaks all connections and refuses new ones. */
  cut(): void;
  /**
   * Loses all packets from now on, as a network does that went away without a word: what is connected stays open and
   * passes nothing in either direction, not even that one side has closed, for ever. New connections are open and
   * as mute, until `heal()`.
   */
  swallow(): void;
  /** New connections work again. */
  heal(): void;
  /** Keeps back what passes on the connections that there are, until `release()`: a network that is slow. */
  hold(): void;
  release(): void;
  /** Ends it, and whatever is connected. */
  close(): void;
}

/** The two ends of one connection through the proxy. */
interface Passage {
  client: Socket;
  /** Absent when the connection was mute from its beginning. */
  upstream: Socket | undefined;
  isMute: boolean;
}

/** Stands between a process and the server of the URL, so that the one can lose the other. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const passages = new Set<Passage>();
  let state: 'open' | 'cut' | 'swallowing' = 'open';

  const server = createServer((client) => {
    if (state === 'cut') {
      client.destroy();
      return;
    }
    const isMute = state === 'swallowing';
    const upstream = isMute ? undefined : connect(Number(port), hostname);
    const passage: Passage = { client, upstream, isMute };
    passages.add(passage);
    join(passage);
    for (const socket of ends(passage)) {
      // An error closes the socket, which is all that matters here.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (!passage.isMute) destroy(passage);
        if (ends(passage).every(({ destroyed }) => destroyed)) passages.delete(passage);
      });
    }
    if (isMute) client.resume();
  });
  const own = await listen(server);
  const url = new URL(target);
  url.host = `127.0.0.1:${own}`;

  const cut = () => {
    state = 'cut';
    for (const passage of passages) destroy(passage);
  };
  return {
    url: url.href,
    cut,
    swallow() {
      state = 'swallowing';
      for (const passage of passages) mute(passage);
    },
    heal() {
      state = 'open';
    },
    hold() {
      for (const passage of passages) for (const socket of ends(passage)) socket.unpipe();
    },
    release() {
      for (const passage of passages) if (!passage.isMute) join(passage);
    },
    close() {
      cut();
      server.close();
    },
  };
}

function join({ client, upstream }: Passage): void {
  if (upstream === undefined) return;
  client.pipe(upstream);
  upstream.pipe(client);
}

function mute(passage: Passage): void {
  passage.isMute = true;
  for (const socket of ends(passage)) {
    socket.unpipe();
    // What still comes is read and thrown away: a socket that is not read never learns that it was closed.
    socket.resume();
  }
}

function destroy(passage: Passage): void {
  for (const socket of ends(passage)) socket.destroy();
}

function ends({ client, upstream }: Passage): Socket[] {
  return upstream === undefined ? [client] : [client, upstream];
}
