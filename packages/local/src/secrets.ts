import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { ifPresent, StartError } from './errors.ts';
import { writePrivateFile } from './private-file.ts';

export const DEMO_ROLES = ['user', 'admin', 'operator'] as const;
export type DemoRole = (typeof DEMO_ROLES)[number];

/** What one checkout keeps secret; made on the first start, the same ever after. */
export interface Secrets {
  /** Of the embedded Postgres' superuser. */
  databasePassword: string;
  /** 32 random bytes, base64url. */
  authSecret: string;
  /** Where an older version kept the key that access tokens are signed with; see `signing-keys.ts`. */
  authSigningKey?: string;
  /** That secrets of webhook endpoints are encrypted under; 32 random bytes, base64url. */
  webhookSecretKey: string;
  stripeWebhookSecret: string;
  /** Of the fake Stripe. */
  stripeSecretKey: string;
  demo: Record<DemoRole, { email: string; password: string }>;
  /** The demo user's API key and the database it was made in, once seeded. */
  seeded: { database: string; apiKey: string } | null;
}

/**
 * Reads the secrets in `file`, or makes them.
 *
 * @throws StartError when the file is there and cannot be understood: making new ones would lock the data away.
 */
export function loadSecrets(file: string): Secrets {
  const text = ifPresent(() => readFileSync(file, 'utf8'));
  if (text === null) {
    const secrets = makeSecrets();
    saveSecrets(file, secrets);
    return secrets;
  }
  chmodSync(file, 0o600);
  const secrets = parse(text);
  if (secrets) {
    if (!secrets.stripeSecretKey || !secrets.webhookSecretKey) {
      // Of an older version.
      secrets.stripeSecretKey ||= makeStripeKey();
      secrets.webhookSecretKey ||= token(32);
      saveSecrets(file, secrets);
    }
    return secrets;
  }
  throw new StartError(`${file} cannot be read: mend it, or begin anew with npm start -- --fresh`);
}

/** Replaces the file; only its owner may read it. */
export function saveSecrets(file: string, secrets: Secrets): void {
  writePrivateFile(file, `${JSON.stringify(secrets, null, 2)}\n`);
}

function makeSecrets(): Secrets {
  const account = (name: string) => ({ email: `${name}@gatehouse.test`, password: token(18) });
  return {
    databasePassword: token(24),
    authSecret: token(32),
    webhookSecretKey: token(32),
    stripeWebhookSecret: `whsec_${randomBytes(24).toString('hex')}`,
    stripeSecretKey: makeStripeKey(),
    demo: { user: account('demo'), admin: account('admin'), operator: account('operator') },
    seeded: null,
  };
}

function parse(text: string): Secrets | null {
  try {
    const { databasePassword, authSecret, ...rest } = JSON.parse(text) as Secrets;
    const complete = databasePassword && authSecret && rest.demo.operator.password;
    return complete ? { databasePassword, authSecret, ...rest } : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

function makeStripeKey(): string {
  return `sk_test_${randomBytes(24).toString('hex')}`;
}

function token(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
