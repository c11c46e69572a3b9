import type { Database } from '@gatehouse/db/client';
import type { Email } from '@gatehouse/db/emails';
import { insertResetToken } from '@gatehouse/db/password-resets';
import { hashSecretToken, newSecretToken } from '@gatehouse/domain/secret-token';
import type { SecretName } from './template.ts';
import { secretsOf } from './templates.ts';

/** Seconds for which a reset mail lets its reader choose a new password. */
const RESET_TOKEN_SECONDS = 3_600;

/** Makes a secret of a mail for its reader, and has it work before the mail is sent. Null: he is not to have it. */
type SecretMaker = (email: Pick<Email, 'accountId' | 'recipient'>) => Promise<string | null>;

export type SecretMakers = Readonly<Record<SecretName, SecretMaker>>;

export function createSecretMakers(
  db: Database,
  { passwordResetUrl }: { passwordResetUrl: string },
): SecretMakers {
  return {
    // The token is in the fragment: browsers send it to nobody, so that no log and no referrer has it.
    'password-reset-link': async ({ accountId, recipient: email }) => {
      const token = newSecretToken();
      const owner = { accountId, email };
      const isHis = await insertResetToken(db, owner, hashSecretToken(token), RESET_TOKEN_SECONDS);
      return isHis ? `${passwordResetUrl}#token=${token}` : null;
    },
  };
}

/**
 * A mail's data with the secrets that its row does not have; null when its reader is not to have them any more. Each
 * attempt to send it makes others, since nobody knows any more what those of the attempt before were; that one's mail
 * may have arrived, so they work as well.
 */
export async function withSecrets(
  email: Pick<Email, 'accountId' | 'recipient' | 'template' | 'data'>,
  makers: SecretMakers,
): Promise<object | null> {
  const secrets: Record<string, string> = {};
  for (const [member, name] of secretsOf(email.template)) {
    const secret = await makers[name](email);
    if (secret === null) return null;
    secrets[member] = secret;
  }
  return Object.assign({}, email.data, secrets);
}
