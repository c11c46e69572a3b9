import type { Database } from '@gatehouse/db/client';
import {
  type NewEmailAttempt,
  recordRefusedEmail,
  recordSentEmails,
} from '@gatehouse/db/email-attempts';
import {
  cancelEmail,
  type OutgoingEmail,
  readOutgoingEmails,
  suppressEmail,
} from '@gatehouse/db/emails';
import { GroupCommit } from '@gatehouse/db/group-commit';
import { sendEmail } from '@gatehouse/jobs/definitions/send-email';
import { createDeliver } from '../mail/deliver.ts';
import { createDomainPace } from '../mail/domain-pace.ts';
import { createSecretMakers, withSecrets } from '../mail/secrets.ts';
import { findTemplate, renderEmail } from '../mail/templates.ts';
import type { MailTransport, OutgoingEmail as OutgoingMessage } from '../mail/transport.ts';
import { createTurns } from '../mail/turns.ts';
import { type JobContext, type JobProcessor, processJob } from '../processor.ts';
import { createSettlementGroup, type Effect } from '../settlement.ts';

export interface SendEmailParts {
  db: Database;
  transport: MailTransport;
  passwordResetUrl: string;
  /** Of the gateway, for links in mails. */
  publicUrl: string;
}

const AT_ONCE_TO_ONE_DOMAIN = 10;

/** A run that waited longer for its turn asks again whether it is owed. It has the turn meanwhile, so not every one does. */
const STALE_MS = 250;

const PAUSES = {
  domainPause: { firstMs: 1_000, longestMs: 300_000 },
  serverPause: { firstMs: 500, longestMs: 15_000 },
} as const;

/**
 * Sends a mail. A worker that dies between the server's OK and the commit sends it again, under the same
 * `Message-ID`: SMTP knows no transaction, and mail programs show such twins once.
 *
 * What comes of each attempt is written down. A mail that is refused for good has failed, and the job is settled.
 */
export function createSendEmail({
  db,
  transport,
  passwordResetUrl,
  publicUrl,
}: SendEmailParts): JobProcessor {
  const secrets = createSecretMakers(db, { passwordResetUrl });
  const sent = createSettlementGroup<NewEmailAttempt>(db, recordSentEmails);
  const deliver = createDeliver(db, transport);
  // Some connections are left for the others when one domain is slow.
  const atOnce = Math.min(AT_ONCE_TO_ONE_DOMAIN, Math.ceil(transport.connections * 0.65));
  const turns = createTurns(createDomainPace({ atOnce, ...PAUSES }));
  // Those that are answered together read together.
  const emails = new GroupCommit<string, OutgoingEmail | null>({
    commit: (ids) => readOutgoingEmails(db, ids),
    isFaultOfOne: () => false,
    maxBatch: 500,
  });

  return processJob(sendEmail, async ({ emailId }, context) => {
    const { signal, log, isOwed, settle, settleTogether } = context;
    if (!(await isOwed())) return;
    const email = await emails.add(emailId);
    if (email === null) throw new Error(`there is no mail ${emailId}`);
    const instead = insteadOfSending(email);
    if (instead !== null) {
      await settle(instead);
      return;
    }
    const turn = await turns.take(domainOf(email.recipient), isUrgent(email));
    const content = await contentOf(email, turn.waitedMs > STALE_MS ? isOwed : null).catch(
      (error: unknown) => {
        turn.end('unknown');
        throw error;
      },
    );
    if (typeof content === 'string') {
      turn.end('unknown');
      if (content === 'canceled') await settle((tx) => cancelEmail(tx, email.id));
      return;
    }
    const { attempt, isDeadAddress } = await deliver(content, turn, { signal, log });
    if (attempt.outcome === 'accepted') {
      await settleTogether(sent, attempt);
      return;
    }
    log.warn({ emailId, replyCode: attempt.replyCode, isDeadAddress }, 'a mail was refused');
    const deadAddress = isDeadAddress ? email.recipient : null;
    await settle((tx) => recordRefusedEmail(tx, { attempt, deadAddress }));
  });

  async function contentOf(
    email: OutgoingEmail,
    isOwed: JobContext['isOwed'] | null,
  ): Promise<OutgoingMessage | 'canceled' | 'superseded'> {
    const data = await withSecrets(email, secrets);
    if (data === null) return 'canceled';
    // It may have been settled by another run while this one waited.
    if (isOwed !== null && !(await isOwed())) return 'superseded';
    const { id, recipient, template, unsubscribeToken } = email;
    const unsubscribeUrl =
      unsubscribeToken === null ? null : `${publicUrl}/unsubscribe/${unsubscribeToken}`;
    return { id, recipient, unsubscribeUrl, ...renderEmail(template, data) };
  }
}

/** What is to be done with a mail that is not to be sent; null for one that is. */
function insteadOfSending({
  id,
  status,
  template,
  unwanted,
  isSuppressed,
}: OutgoingEmail): Effect | null {
  if (status !== 'queued') return async () => undefined;
  const { category } = findTemplate(template);
  if (unwanted.includes(category)) return (tx) => cancelEmail(tx, id);
  // Whoever asks for a new password waits for this mail, and his mailbox may be back.
  if (isSuppressed && category !== 'security') return (tx) => suppressEmail(tx, id);
  return null;
}

/** Whoever asked for a new password does not wait behind reminders. */
function isUrgent({ template }: OutgoingEmail): boolean {
  return findTemplate(template).category === 'security';
}

function domainOf(recipient: string): string {
  return recipient.slice(recipient.lastIndexOf('@') + 1).toLowerCase();
}
