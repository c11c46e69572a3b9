import type { Database } from '@gatehouse/db/client';
import { cancelEmail, markEmailsSent, readEmail } from '@gatehouse/db/emails';
import { sendEmail } from '@gatehouse/jobs/definitions/send-email';
import { createSecretMakers, withSecrets } from '../mail/secrets.ts';
import { renderEmail } from '../mail/templates.ts';
import type { MailTransport } from '../mail/transport.ts';
import { type JobProcessor, processJob } from '../processor.ts';
import { createSettlementGroup } from '../settlement.ts';

export interface SendEmailParts {
  db: Database;
  transport: MailTransport;
  passwordResetUrl: string;
}

/**
 * Sends a mail. A worker that dies between the server's OK and the commit sends it again, under the same
 * `Message-ID`: SMTP knows no transaction, and mail programs show such twins once.
 */
export function createSendEmail({ db, transport, passwordResetUrl }: SendEmailParts): JobProcessor {
  const secrets = createSecretMakers(db, { passwordResetUrl });
  const sent = createSettlementGroup<string>(db, markEmailsSent);
  return processJob(sendEmail, async ({ emailId }, { signal, isOwed, settle, settleTogether }) => {
    // Those that are answered together read together: Prisma makes one query of them.
    if (!(await isOwed())) return;
    const email = await readEmail(db, emailId);
    if (email.status !== 'queued') {
      await settle(async () => undefined);
      return;
    }
    const data = await withSecrets(email, secrets);
    if (data === null) {
      await settle((tx) => cancelEmail(tx, email.id));
      return;
    }
    const content = renderEmail(email.template, data);
    await transport.send({ id: email.id, recipient: email.recipient, ...content }, signal);
    await settleTogether(sent, email.id);
  });
}
