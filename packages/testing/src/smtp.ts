import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { countPeaks } from './peaks.ts';

/** `refuse`: a temporary error, after the message was read. `hang`: no answer until the next mode is set, by which it then is. */
export type SmtpMode = 'accept' | 'refuse' | 'hang';

/** What a recipient, or all of a domain, is answered: a code and a text, or nothing until another answer is set. */
export type SmtpAnswer = 'accept' | 'hang' | { code: number; text: string };

export interface TestSmtp {
  url: string;
  /** What was accepted, in order. */
  readonly received: readonly Email[];
  /** The same, as the bytes that came, in latin1. */
  readonly raw: readonly string[];
  /** Recipients of the envelopes of what was accepted, in order. */
  readonly recipients: readonly string[];
  /** How many messages came in, accepted or not. */
  readonly attempts: number;
  /** How many recipients were named, accepted or not. */
  readonly asked: number;
  /** How many connections were open at once, at most. */
  readonly mostConnections: number;
  set(mode: SmtpMode): void;
  /** Answers an address, or everybody of a domain, like this from now on. */
  answer(addressOrDomain: string, answer: SmtpAnswer): void;
  /** How many mails to a domain were under way at once, at most. */
  mostAtOnce(domain: string): number;
  close(): Promise<void>;
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

/** A real SMTP server on a free port of 127.0.0.1 that keeps what it is given in memory. */
export async function startTestSmtp(): Promise<TestSmtp> {
  const received: Email[] = [];
  const raws: string[] = [];
  const recipients: string[] = [];
  let attempts = 0;
  let asked = 0;
  let mode: SmtpMode = 'accept';
  let changed = Promise.withResolvers<SmtpMode>();
  const answers = new Map<string, SmtpAnswer>();
  const underWay = countPeaks();
  const connections = countPeaks();
  const domains = (session: SMTPServerSession): string[] =>
    session.envelope.rcptTo.map(({ address }) => domainOf(address));

  const ask = async (address: string): Promise<void> => {
    asked += 1;
    const find = () => answers.get(address) ?? answers.get(domainOf(address)) ?? 'accept';
    let answer = find();
    while (answer === 'hang') {
      await changed.promise;
      answer = find();
    }
    if (answer === 'accept') return;
    throw Object.assign(new Error(answer.text), { responseCode: answer.code });
  };
  const take = async (stream: SMTPServerDataStream, to: readonly string[]): Promise<void> => {
    const raw = await buffer(stream);
    attempts += 1;
    let answer = mode;
    while (answer === 'hang') answer = await changed.promise;
    if (answer === 'refuse') {
      throw Object.assign(new Error('mailbox temporarily unavailable'), { responseCode: 451 });
    }
    received.push(await PostalMime.parse(raw));
    raws.push(raw.toString('latin1'));
    recipients.push(...to);
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    // Replies are as the tests say them.
    hideENHANCEDSTATUSCODES: true,
    closeTimeout: 100,
    onConnect(_session, callback) {
      connections.begin('all');
      callback();
    },
    onClose: () => connections.end('all'),
    onRcptTo({ address }, _session, callback) {
      underWay.begin(domainOf(address));
      ask(address).then(
        () => callback(),
        (error: Error) => {
          underWay.end(domainOf(address));
          callback(error);
        },
      );
    },
    onData(stream, session, callback) {
      const to = session.envelope.rcptTo.map(({ address }) => address);
      take(stream, to)
        .finally(() => {
          for (const domain of domains(session)) underWay.end(domain);
        })
        .then(() => callback(), callback);
    },
  });
  // A client that gives up in the middle is no error of the server's.
  server.on('error', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');

  const wake = () => {
    changed.resolve(mode);
    changed = Promise.withResolvers();
  };
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    received,
    raw: raws,
    recipients,
    get attempts() {
      return attempts;
    },
    get asked() {
      return asked;
    },
    get mostConnections() {
      return connections.most('all');
    },
    set(next) {
      mode = next;
      wake();
    },
    answer(addressOrDomain, answer) {
      answers.set(addressOrDomain, answer);
      wake();
    },
    mostAtOnce: underWay.most,
    async close() {
      mode = 'refuse';
      answers.clear();
      wake();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    },
  };
}
