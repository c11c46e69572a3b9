import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { listen } from './listen.ts';
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
  /** Domains of the recipients that a session has named for the mail it is at. */
  const named = new Map<string, string[]>();
  const release = ({ id }: SMTPServerSession): void => {
    for (const domain of named.get(id) ?? []) underWay.end(domain);
    named.delete(id);
  };
  const name = ({ id }: SMTPServerSession, domain: string): void => {
    underWay.begin(domain);
    named.set(id, [...(named.get(id) ?? []), domain]);
  };
  const unname = ({ id }: SMTPServerSession, domain: string): void => {
    const at = named.get(id)?.indexOf(domain) ?? -1;
    // A client that has left is released already.
    if (at === -1) return;
    named.get(id)?.splice(at, 1);
    underWay.end(domain);
  };

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
    onClose(session) {
      connections.end('all');
      release(session);
    },
    onMailFrom(_address, session, callback) {
      release(session);
      callback();
    },
    onRcptTo({ address }, session, callback) {
      name(session, domainOf(address));
      ask(address).then(
        () => callback(),
        (error: Error) => {
          unname(session, domainOf(address));
          callback(error);
        },
      );
    },
    onData(stream, session, callback) {
      const to = session.envelope.rcptTo.map(({ address }) => address);
      take(stream, to)
        .finally(() => release(session))
        .then(() => callback(), callback);
    },
  });
  // A client that gives up in the middle is no error of the server's.
  server.on('error', () => undefined);
  const port = await listen(server.server);

  const wake = () => {
    changed.resolve(mode);
    changed = Promise.withResolvers();
  };
  return {
    url: `smtp://127.0.0.1:${port}`,
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
