import { findUserById } from '@gatehouse/db/users';
import { announcePasswordChange } from '@gatehouse/jobs/definitions/announce-password-change';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { composeEmail } from '../mail/compose-email.ts';
import { queueEmails } from '../mail/queue-emails.ts';
import { passwordChanged } from '../mail/templates/password-changed.ts';
import { type JobProcessor, processJob } from '../processor.ts';

/** Owes a user a mail that says that his password was changed. Who is gone by then is told nothing. */
export function createAnnouncePasswordChange({ ledger }: { ledger: JobLedger }): JobProcessor {
  return processJob(
    announcePasswordChange,
    async ({ userId, changedAt }, { requestId, settle }) => {
      await settle(async (tx) => {
        const user = await findUserById(tx, userId);
        if (user === null) return;
        const email = composeEmail(passwordChanged, {
          accountId: user.accountId,
          recipient: user.email,
          data: { email: user.email, changedAt },
        });
        await queueEmails(tx, ledger, [{ email, requestId }]);
      });
    },
  );
}
