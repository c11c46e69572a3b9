import { join } from 'node:path';
import { apiUrl } from './apps.ts';
import type { StartConfig } from './config.ts';
import type { Guard } from './guard.ts';
import type { Service } from './launch.ts';
import { type Mail, startMail } from './mail.ts';
import { freePort } from './ports.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { say, stage } from './progress.ts';
import { type Redis, startRedis } from './redis.ts';
import type { Secrets } from './secrets.ts';
import { type Stripe, startStripe, stripeSigningSecret, stripeWebhookSecrets } from './stripe.ts';
import { type Supervised, supervise } from './supervisor.ts';
import type { Part, Teardown } from './teardown.ts';

/** What every part of a stack is started with. */
export interface Context {
  config: StartConfig;
  secrets: Secrets;
  guard: Guard;
  teardown: Teardown;
  /** Fires when the stack is to end. */
  signal: AbortSignal;
  logFile: (name: string) => string;
  /** Where `stack.json` is, or will be. */
  stackFile: string;
  /** Called when a part that died has a successor. */
  onChange: () => void;
}

/** The embedded parts; null for those that were given by URL. */
export interface Infrastructure {
  postgres: Supervised<Postgres> | null;
  redis: Supervised<Redis> | null;
  mail: Supervised<Mail> | null;
  stripe: Supervised<Stripe> | null;
}

/** Starts what was not given by URL, all at once, under supervision. */
export async function startInfrastructure(context: Context): Promise<Infrastructure> {
  const { config } = context;
  if (config.stripeSecretKey !== null && config.stripeWebhookSecrets === null) {
    say('  stripe     STRIPE_WEBHOOK_SECRETS is not set: no event from Stripe is taken');
  }
  const [postgres, redis, mail, stripe] = await Promise.all([
    config.databaseUrl === null ? postgresUnderSupervision(context) : null,
    config.redisUrl === null ? redisUnderSupervision(context) : null,
    config.smtpUrl === null ? mailUnderSupervision(context) : null,
    config.stripeSecretKey === null ? stripeUnderSupervision(context) : null,
  ]);
  return { postgres, redis, mail, stripe };
}

async function postgresUnderSupervision(context: Context) {
  const { config, secrets, guard } = context;
  const port = await freePort();
  const options = {
    dir: join(config.dir, 'postgres'),
    port,
    password: secrets.databasePassword,
    logFile: context.logFile('postgres'),
    guard,
  };
  return underSupervision(context, 'postgres', `on port ${port}`, (signal) =>
    startPostgres({ ...options, signal }),
  );
}

async function redisUnderSupervision(context: Context) {
  const { config, guard } = context;
  const port = await freePort();
  const options = {
    dir: join(config.dir, 'redis'),
    port,
    appendOnly: true,
    logFile: context.logFile('redis'),
    searchPath: config.searchPath,
    notice: say,
    guard,
  };
  return underSupervision(context, 'redis', `on port ${port}`, (signal) =>
    startRedis({ ...options, signal }),
  );
}

async function mailUnderSupervision(context: Context) {
  const { config, guard } = context;
  const [smtpPort, webPort] = [await freePort(), await freePort()];
  const options = {
    dir: join(config.dir, 'mail'),
    smtpPort,
    webPort,
    logFile: context.logFile('mail'),
    guard,
  };
  return underSupervision(context, 'mail', `SMTP on port ${smtpPort}`, (signal) =>
    startMail({ ...options, signal }),
  );
}

async function stripeUnderSupervision(context: Context) {
  const { config, secrets, guard, stackFile } = context;
  const port = await freePort();
  const options = {
    dir: join(config.dir, 'stripe'),
    port,
    apiKey: secrets.stripeSecretKey,
    webhook: {
      url: `${apiUrl(config, config.ports[0] ?? 0)}/webhooks/stripe`,
      secret: stripeSigningSecret(stripeWebhookSecrets(config, secrets)),
    },
    stackFile,
    logFile: context.logFile('stripe'),
    guard,
  };
  return underSupervision(context, 'stripe', `a fake one on port ${port}`, (signal) =>
    startStripe({ ...options, signal }),
  );
}

function underSupervision<S extends Service>(
  { teardown, signal, onChange }: Context,
  part: Part,
  where: string,
  start: (signal: AbortSignal) => Promise<S>,
): Promise<Supervised<S>> {
  const starting = supervise({ name: part, start, signal, onChange, notice: say });
  return stage(
    part,
    () => teardown.add(part, starting),
    () => where,
  );
}
