import { once } from 'node:events';
import type { Server } from 'node:net';

/** Has a server listen on 127.0.0.1, and resolves with the port: any free one, unless one is given. @throws when it is taken */
export async function listen(server: Server, port = 0): Promise<number> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
