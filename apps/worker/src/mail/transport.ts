import { createTransport } from 'nodemailer';
import type { EmailContent } from './template.ts';

/** Connections at most; more sends than these wait in the pool, under the same signal. */
const CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 5_000;
/** Of silence, in the middle of a conversation. */
const SILENCE_TIMEOUT_MS = 15_000;

export interface OutgoingEmail extends EmailContent {
  id: string;
  recipient: string;
}

export interface MailTransport {
  /**
   * Hands a mail to the SMTP server. Its `Message-ID` is made from its id, the same however often it is sent.
   *
   * @throws when the server does not take it, or does not answer in time, or the signal fires
   */
  send(email: OutgoingEmail, signal: AbortSignal): Promise<void>;
  close(): void;
}

export function createMailTransport(smtpUrl: string, from: string): MailTransport {
  const pool = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: CONNECTIONS,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    // The ledger does the retrying; a mail that was in flight when its connection broke may have arrived.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const host = hostOf(from);
  return {
    async send({ id, recipient, subject, text, html }, signal) {
      await pool.sendMail({
        from,
        // As an object: a string would be parsed, and could name several.
        to: { name: '', address: recipient },
        messageId: `<${id}@${host}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        subject,
        text,
        html,
        signal,
      });
    },
    close: () => pool.close({ force: true }),
  };
}

function hostOf(from: string): string {
  const host = /@([^\s@>]+)>?\s*$/.exec(from)?.[1];
  if (host === undefined) throw new Error('the sender has no mail address');
  return host;
}
