import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { ROOT, readConfig } from '../src/config.ts';
import { loadSecrets } from '../src/secrets.ts';
import { stripeSigningSecret, stripeWebhookSecrets } from '../src/stripe.ts';
import { temporaryDir } from './temporary.ts';

/** Empty, whatever a developer has in `.env`. */
beforeEach(() => {
  vi.stubEnv('STRIPE_SECRET_KEY', '');
  vi.stubEnv('STRIPE_WEBHOOK_SECRETS', '');
  return () => vi.unstubAllEnvs();
});

test.each(['wrong', 'pk_test_1', 'sk_test_', 'sk_test_a b', 'SK_TEST_1', 'whsec_1'])(
  'a key that is none of Stripe is named at once, and not shown: %s',
  (key) => {
    vi.stubEnv('STRIPE_SECRET_KEY', key);
    expect(readConfig).toThrow(/^STRIPE_SECRET_KEY must be .* begins with sk_test_, [^\n^]*$/);
  },
);

test.each([',', ' , ,'])('secrets that are none are named at once: %j', (secrets) => {
  vi.stubEnv('STRIPE_WEBHOOK_SECRETS', secrets);
  expect(readConfig).toThrow(/^STRIPE_WEBHOOK_SECRETS must be [^\n]*$/);
});

test('`npm start` ends with one line when a setting will not do', async () => {
  const environment = { PATH: process.env.PATH, STRIPE_SECRET_KEY: 'pk_test_1' };
  const output = await new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'packages/local/src/start.ts')],
      { env: environment },
      (error, stdout, stderr) => resolve([error?.code, stdout, stderr]),
    );
  });
  expect(output).toEqual([1, '', expect.stringMatching(/^gatehouse: STRIPE_SECRET_KEY .*\n$/)]);
});

test('a secret is made for the fake Stripe only', () => {
  const secrets = loadSecrets(join(temporaryDir(), 'secrets.json'));
  const made = secrets.stripeWebhookSecret;
  expect(stripeWebhookSecrets(readConfig(), secrets)).toBe(made);
  vi.stubEnv('STRIPE_SECRET_KEY', 'rk_live_1');
  expect(stripeWebhookSecrets(readConfig(), secrets)).toBe('');
  vi.stubEnv('STRIPE_WEBHOOK_SECRETS', ' ,whsec_1, whsec_2');
  expect(stripeSigningSecret(stripeWebhookSecrets(readConfig(), secrets))).toBe('whsec_1');
  vi.stubEnv('STRIPE_SECRET_KEY', '');
  expect(stripeSigningSecret(stripeWebhookSecrets(readConfig(), secrets))).toBe('whsec_1');
});
