import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type StartConfig } from './config.ts';
import type { Guard } from './guard.ts';
import { launchOwn, type Service } from './launch.ts';
import type { Secrets } from './secrets.ts';

/** Beside the tests that it is made for, and started by its path as the apps are: nothing here imports it. */
const STRIPE_PROCESS = join(ROOT, 'packages/testing/src/stripe-process.ts');
const STOP_DEADLINE_MS = 5000;

export interface Stripe extends Service {
  /** Of its API, and of its page. */
  readonly url: string;
  readonly apiKey: string;
}

export interface StripeOptions {
  /** Where it keeps what it knows. */
  dir: string;
  port: number;
  apiKey: string;
  /** Where its events go, and what signs them. */
  webhook: { url: string; secret: string };
  /** From which its page learns whose deposits to make; it may appear later. */
  stackFile: string;
  logFile: string;
  guard?: Guard | undefined;
  signal?: AbortSignal | undefined;
}

/** Starts a fake Stripe on 127.0.0.1, with a page to pay, refund and dispute on. What it knows outlives it. */
export async function startStripe(options: StripeOptions): Promise<Stripe> {
  const { dir, port, apiKey, webhook, stackFile, logFile, guard, signal } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const launched = await launchOwn({
    name: 'the fake Stripe',
    args: [STRIPE_PROCESS],
    cwd: ROOT,
    env: {
      PORT: `${port}`,
      API_KEY: apiKey,
      WEBHOOK_URL: webhook.url,
      WEBHOOK_SECRET: webhook.secret,
      STATE_FILE: join(dir, 'state.jsonl'),
      STACK_FILE: stackFile,
    },
    logFile,
    stopDeadlineMs: STOP_DEADLINE_MS,
    guard,
    signal,
  });
  return { ...launched, url: `http://127.0.0.1:${port}`, apiKey };
}

/** What signs Stripe's events: comma separated, as the applications take it. What is made here is for the fake Stripe: no other signs with it. */
export function stripeWebhookSecrets(config: StartConfig, secrets: Secrets): string {
  const made = config.stripeSecretKey === null ? secrets.stripeWebhookSecret : '';
  return config.stripeWebhookSecrets ?? made;
}

/** The first of them: events that are made here are signed with it. */
export function stripeSigningSecret(webhookSecrets: string): string {
  const [first = ''] = webhookSecrets.split(',').flatMap((secret) => secret.trim() || []);
  return first;
}
