import type { Trouble } from './domain-pace.ts';

/** What the mail server, or the lack of it, made of an attempt that failed. */
export interface Failure {
  /** `refused`: for good. `deferred`: it is tried again. */
  outcome: 'refused' | 'deferred';
  /** Whether the address takes no mail at all. */
  isDeadAddress: boolean;
  trouble: Trouble;
  replyCode: number | null;
  reply: string;
}

/** Characters of a reply that are kept. */
const REPLY_LENGTH = 1_000;

/** Commands before there is a mail: what fails there is no mail's fault. */
const SESSION = /^(CONN|EHLO|HELO|LHLO|STARTTLS|AUTH)/;

/** Codes of errors without a reply that are about the way to our mail server. */
const UNREACHABLE = new Set([
  ...['ECONNECTION', 'ETIMEDOUT', 'ESOCKET', 'EDNS', 'ETLS', 'EREQUIRETLS', 'EPROTOCOL'],
  ...['EAUTH', 'ENOAUTH', 'EOAUTH2', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'],
]);

/** Replies about how we sign in (RFC 4954, RFC 3207), whatever the command. */
const AUTHENTICATION = new Set([454, 530, 534, 535, 538]);

/** RFC 3463, RFC 7505: nobody is there, and nobody will be. */
const DEAD_ADDRESS = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1']);

/** The sender's address is bad: that is ours. */
const SENDER_ADDRESS = new Set(['5.1.7', '5.1.8']);

/** Of the address, when they answer RCPT (RFC 5321). */
const BAD_SYNTAX = new Set([501, 555]);

type Verdict = Pick<Failure, 'outcome' | 'isDeadAddress' | 'trouble'>;

const OURS: Verdict = { outcome: 'deferred', isDeadAddress: false, trouble: 'server' };
const DOMAIN: Verdict = { outcome: 'deferred', isDeadAddress: false, trouble: 'domain' };
const MAILBOX: Verdict = { outcome: 'deferred', isDeadAddress: false, trouble: 'mail' };
const CUT_SHORT: Verdict = { outcome: 'deferred', isDeadAddress: false, trouble: 'unknown' };
const REFUSED: Verdict = { outcome: 'refused', isDeadAddress: false, trouble: 'mail' };
const DEAD: Verdict = { outcome: 'refused', isDeadAddress: true, trouble: 'mail' };

/**
 * What an error of the transport says. docs/mail.md has the same as a table. A mail is refused for good only by what is
 * about it or its address: what is about us is mended some day, and the mail is still to be sent then.
 */
export function readFailure(error: unknown): Failure {
  const { code, command, response, responseCode, message } = membersOf(error);
  const reply = (response ?? message).replaceAll('\0', '').slice(0, REPLY_LENGTH);
  const verdict =
    responseCode === null
      ? withoutReply(code, message)
      : withReply(responseCode, response ?? '', isDuringMail(message) ? 'DATA' : command);
  return { ...verdict, replyCode: responseCode, reply };
}

/** nodemailer says of a 421 in the middle of a mail that it was about the connection, which the server then closes. */
const isDuringMail = (message: string): boolean =>
  message.startsWith('Server closed the connection');

function withoutReply(code: string, message: string): Verdict {
  // Nobody was asked: there is no such address.
  if (code === 'EENVELOPE') return REFUSED;
  // In the middle of a conversation: others may go on.
  if (code === 'ETIMEDOUT' && message === 'Timeout') return DOMAIN;
  return UNREACHABLE.has(code) ? OURS : CUT_SHORT;
}

function withReply(code: number, response: string, command: string): Verdict {
  const status = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] ?? '';
  if (AUTHENTICATION.has(code) || SESSION.test(command)) return OURS;
  if (command === 'MAIL FROM') return isAboutMail(code, status) ? REFUSED : OURS;
  if (code < 500) return isAboutDomain(code, status, command) ? DOMAIN : MAILBOX;
  const isToRecipient = command === 'RCPT TO';
  if (DEAD_ADDRESS.has(status)) return DEAD;
  if (isAboutMail(code, status) || status.startsWith('5.2.')) return REFUSED;
  const text = response.replace(/<[^>]*>/g, '');
  if (SENDER_ADDRESS.has(status) || /\brelay/i.test(text)) return OURS;
  if (isToRecipient && BAD_SYNTAX.has(code) && /^(5\.5\.|$)/.test(status)) return REFUSED;
  // What most say to an address that they do not know, and some to a sender whom they do not.
  if (isToRecipient && code === 550 && status === '' && !/\bsender\b|authenticat/i.test(text))
    return REFUSED;
  return MAILBOX;
}

/** Its size, or what is in it: others may go on. */
function isAboutMail(code: number, status: string): boolean {
  if (status === '') return code === 552;
  return status === '5.3.4' || status === '5.2.3' || status.startsWith('5.6.');
}

/** A temporary answer that others of the domain would get as well. */
function isAboutDomain(code: number, status: string, command: string): boolean {
  if (code === 421 || /^4\.[34]\./.test(status)) return true;
  return status === '' && command !== 'RCPT TO';
}

function membersOf(error: unknown) {
  const given: object = typeof error === 'object' && error !== null ? error : {};
  const text = (name: string): string | null => {
    const value: unknown = Reflect.get(given, name);
    return typeof value === 'string' ? value : null;
  };
  const responseCode: unknown = Reflect.get(given, 'responseCode');
  return {
    code: text('code') ?? '',
    command: text('command') ?? '',
    response: text('response'),
    responseCode: typeof responseCode === 'number' && responseCode > 0 ? responseCode : null,
    message: text('message') ?? String(error),
  };
}
