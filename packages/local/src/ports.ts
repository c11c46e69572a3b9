import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { errorCode, StartError } from './errors.ts';

// Below the range from which systems take the source ports of outgoing connections. A client that keeps
// redialling a server that is down may be given that very port as its own, and so keep the server from coming back.
const LOWEST = 15_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;

const handedOut = new Set<number>();

/** A port of 127.0.0.1 that nothing listens on. This process never gets the same one twice. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (handedOut.has(port) || (await listenError(port, '127.0.0.1')) !== null) continue;
    handedOut.add(port);
    return port;
  }
  throw new StartError(`found no free port between ${LOWEST} and ${HIGHEST}`);
}

/** Throws a {@link StartError} that names `setting` when `port` cannot be listened on. */
export async function assertPortFree(
  port: number,
  setting: string,
  host = '127.0.0.1',
): Promise<void> {
  const error = await listenError(port, host);
  if (error === null) return;
  if (errorCode(error) === 'EADDRINUSE') {
    throw new StartError(`port ${port} is in use: stop what listens there or set ${setting}`);
  }
  throw new StartError(
    `cannot listen on ${host}:${port} (${error.message}): set another ${setting}`,
  );
}

function listenError(port: number, host: string): Promise<Error | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
