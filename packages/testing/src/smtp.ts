import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';

/** `refuse`: a temporary error, after the message was read. `hang`: no answer until the next mode is set, by which it then is. */
export type SmtpMode = 'accept' | 'refuse' | 'hang';

export interface TestSmtp {
  url: string;
  /** What was accepted, in order. */
  readonly received: readonly Email[];
  /** How many messages came in, accepted or not. */
  readonly attempts: number;
  set(mode: SmtpMode): void;
  close(): Promise<void>;
}

/** A real SMTP server on a free port of 127.0.0.1 that keeps what it is given in memory. */
export async function startTestSmtp(): Promise<TestSmtp> {
  const received: Email[] = [];
  let attempts = 0;
  let mode: SmtpMode = 'accept';
  let changed = Promise.withResolvers<SmtpMode>();

  const take = async (stream: SMTPServerDataStream): Promise<void> => {
    const raw = await buffer(stream);
    attempts += 1;
    let answer = mode;
    while (answer === 'hang') answer = await changed.promise;
    if (answer === 'refuse') {
      throw Object.assign(new Error('mailbox temporarily unavailable'), { responseCode: 451 });
    }
    received.push(await PostalMime.parse(raw));
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    closeTimeout: 100,
    onData(stream, _session, callback) {
      take(stream).then(() => callback(), callback);
    },
  });
  // A client that gives up in the middle is no error of the server's.
  server.on('error', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');

  const set = (next: SmtpMode) => {
    mode = next;
    changed.resolve(next);
    changed = Promise.withResolvers<SmtpMode>();
  };
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    received,
    get attempts() {
      return attempts;
    },
    set,
    async close() {
      set('refuse');
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    },
  };
}
