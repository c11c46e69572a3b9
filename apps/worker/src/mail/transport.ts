import { createTransport } from 'nodemailer';
import { poolSettings } from './pool-settings.ts';
import type { EmailContent } from './template.ts';

export interface OutgoingEmail extends EmailContent {
  id: string;
  recipient: string;
  /** Where its reader says that he wants no more of the kind; null where he cannot. */
  unsubscribeUrl: string | null;
}

/** What the mail server said when it took a mail. */
export interface Receipt {
  replyCode: number | null;
  reply: string;
}

export interface MailTransport {
  /** How many mails are under way to the server at most. */
  readonly connections: number;
  /**
   * Hands a mail to the SMTP server. Its `Message-ID` is made from its id, the same however often it is sent.
   *
   * @throws when the server does not take it, or does not answer in time, or the signal fires; `readFailure` tells why
   */
  send(email: OutgoingEmail, signal: AbortSignal): Promise<Receipt>;
  close(): void;
}

export function createMailTransport(smtpUrl: string, from: string): MailTransport {
  const settings = poolSettings(smtpUrl);
  const pool = createTransport({
    url: smtpUrl,
    pool: true,
    ...settings,
    // The ledger does the retrying; a mail that was in flight when its connection broke may have arrived.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const host = hostOf(from);
  return {
    connections: settings.maxConnections,
    async send({ id, recipient, subject, text, html, unsubscribeUrl }, signal) {
      assertOneAddress(recipient);
      const { response } = await pool.sendMail({
        from,
        // As an object: a string would be parsed, and could name several.
        to: { name: '', address: recipient },
        messageId: `<${id}@${host}>`,
        headers: { 'Auto-Submitted': 'auto-generated', ...listHeaders(unsubscribeUrl) },
        subject,
        text,
        html,
        signal,
      });
      const replyCode = Number(/^\d{3}/.exec(response)?.[0] ?? 0) || null;
      return { replyCode, reply: response.replaceAll('\0', '').slice(0, 1_000) };
    },
    close: () => pool.close({ force: true }),
  };
}

/** One click, without a page to be read first (RFC 8058). */
function listHeaders(unsubscribeUrl: string | null): Record<string, string> {
  if (unsubscribeUrl === null) return {};
  return {
    'List-Unsubscribe': `<${unsubscribeUrl}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  };
}

/** Of what RFC 5321 allows, what needs no quotes; in any alphabet. */
const ADDRESS = /^[^\s\p{Cc}\p{Cf}<>()[\]\\,;:"@]{1,64}@[^\s\p{Cc}\p{Cf}<>()[\]\\,;:"@]{1,255}$/u;

/** @throws as nodemailer does when there is nobody whom a mail could go to */
function assertOneAddress(recipient: string): void {
  if (ADDRESS.test(recipient)) return;
  throw Object.assign(new Error('the recipient is not one mail address'), { code: 'EENVELOPE' });
}

function hostOf(from: string): string {
  const host = /@([^\s@>]+)>?\s*$/.exec(from)?.[1];
  if (host === undefined) throw new Error('the sender has no mail address');
  return host;
}
