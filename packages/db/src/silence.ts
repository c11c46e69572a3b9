import { Socket } from 'node:net';
import { constants } from 'node:os';

/**
 * A socket, to be connected, that gives itself up when nothing has passed for this long.
 *
 * A network may lose all packets without a word: no answer comes then, and no error. TCP's keep-alive would tell, but
 * is silent itself while anything that was sent waits to be acknowledged, for a quarter of an hour.
 */
export function impatientSocket(silenceMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(silenceMs, () => socket.destroy(silence(silenceMs)));
}

/** The error of the kernel that gave up a connection: the driver adapter knows what it means. */
function silence(silenceMs: number): Error {
  return Object.assign(new Error(`PostgreSQL has said nothing for ${silenceMs} ms`), {
    code: 'ETIMEDOUT',
    syscall: 'read',
    errno: -constants.errno.ETIMEDOUT,
  });
}
