import { recordAct } from '@gatehouse/db/audit';
import type { Transaction } from '@gatehouse/db/client';
import { countRecentEmails } from '@gatehouse/db/emails';
import { lockUserByEmail, takeResetRequest } from '@gatehouse/db/password-resets';
import { requestPasswordReset } from '@gatehouse/jobs/definitions/request-password-reset';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { composeEmail } from '../mail/compose-email.ts';
import { queueEmails } from '../mail/queue-emails.ts';
import { passwordReset } from '../mail/templates/password-reset.ts';
import { type JobProcessor, processJob } from '../processor.ts';

/** Anybody may ask for an address: its owner's inbox is not to be flooded. */
const MAILS_AT_MOST = 3;
const WITHIN_SECONDS = 900;

/** Owes whose address it is a mail with a link to choose a new password; for nobody's address it owes nothing. */
export function createRequestPasswordReset({ ledger }: { ledger: JobLedger }): JobProcessor {
  return processJob(requestPasswordReset, async ({ resetRequestId }, { requestId, settle }) => {
    await settle((tx) => answer(tx, ledger, resetRequestId, requestId));
  });
}

async function answer(
  tx: Transaction,
  ledger: JobLedger,
  resetRequestId: string,
  requestId: string | null,
): Promise<void> {
  const address = await takeResetRequest(tx, resetRequestId);
  const user = address === null ? null : await lockUserByEmail(tx, address);
  if (user === null) return;
  const { id: subjectId, accountId, email: recipient } = user;
  const template = passwordReset.name;
  const recent = await countRecentEmails(tx, { accountId, template, seconds: WITHIN_SECONDS });
  if (recent >= MAILS_AT_MOST) return;
  const email = composeEmail(passwordReset, { accountId, recipient, data: {} });
  await queueEmails(tx, ledger, [{ email, requestId }]);
  // Where it came from is in the gateway's log, under this request id: the gateway does not know whose address it is.
  const somebody = { actorId: null, credential: 'none', credentialId: null } as const;
  await recordAct(
    tx,
    { ...somebody, address: null, userAgent: null, requestId },
    { action: 'password.reset_requested', subjectType: 'user', subjectId },
  );
}
