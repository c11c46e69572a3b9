import { migrate } from '@gatehouse/db/migrate';
import { type App, describeApis, describeWorkers, type Surroundings, startApp } from './apps.ts';
import type { StartConfig } from './config.ts';
import { StartError } from './errors.ts';
import type { Guard } from './guard.ts';
import { type Context, type Infrastructure, startInfrastructure } from './infrastructure.ts';
import { say, stage } from './progress.ts';
import { loadSecrets, type Secrets, saveSecrets } from './secrets.ts';
import { keepSigningKeys } from './signing-keys.ts';
import { describeStack } from './stack-description.ts';
import type { StackDir } from './stack-dir.ts';
import { type Stack, writeStackFile } from './stack-file.ts';
import { stripeWebhookSecrets } from './stripe.ts';
import { type Supervised, supervise } from './supervisor.ts';
import type { Teardown } from './teardown.ts';

export interface StackOptions {
  config: StartConfig;
  dir: StackDir;
  guard: Guard;
  teardown: Teardown;
  /** Fires when the stack is to end. */
  signal: AbortSignal;
}

/**
 * Brings the whole stack up and writes `stack.json`, which from then on follows what is started again.
 *
 * Everything it starts is in `teardown`, also when it throws.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { config, dir, signal } = options;
  const secrets = loadSecrets(dir.secrets);
  let publish = (): void => undefined;
  const context: Context = {
    ...options,
    secrets,
    logFile: dir.logFile,
    stackFile: dir.stack,
    onChange: () => publish(),
  };

  const infrastructure = await startInfrastructure(context);
  const around = surroundings(context, infrastructure, signingKeysFile(config, dir, secrets));
  await stage('database', () => migrate(around.databaseUrl), describeMigrations);
  signal.throwIfAborted();
  const [apis, workers] = await startApps(context, around);
  const demo = await stage('demo', () => seedDemo(context, dir, around), describeDemo);
  signal.throwIfAborted();

  const describe = () => describeStack({ config, around, infrastructure, apis, workers, demo });
  publish = () => writeStackFile(dir.stack, describe());
  publish();
  return describe();
}

/** The file that the stack keeps its signing keys in, made when it has none; null when the environment has them. */
function signingKeysFile(config: StartConfig, dir: StackDir, secrets: Secrets): string | null {
  if (config.authSigningKeys !== null || config.authSigningKeysFile !== null) return null;
  keepSigningKeys(dir.signingKeys, secrets.authSigningKey);
  return dir.signingKeys;
}

function surroundings(
  { config, secrets }: Context,
  embedded: Infrastructure,
  signingKeysFile: string | null,
): Surroundings {
  const databaseUrl = config.databaseUrl ?? embedded.postgres?.current.url('gatehouse');
  const redisUrl = config.redisUrl ?? embedded.redis?.current.url;
  const smtpUrl = config.smtpUrl ?? embedded.mail?.current.smtpUrl;
  if (databaseUrl === undefined || redisUrl === undefined || smtpUrl === undefined) {
    throw new StartError('a part is neither embedded nor given by URL');
  }
  const stripe = {
    apiUrl: embedded.stripe?.current.url ?? config.stripeApiUrl,
    secretKey: embedded.stripe?.current.apiKey ?? config.stripeSecretKey ?? '',
    webhookSecrets: stripeWebhookSecrets(config, secrets),
  };
  return { databaseUrl, redisUrl, smtpUrl, stripe, signingKeysFile };
}

function startApps(
  context: Context,
  around: Surroundings,
): Promise<[Supervised<App>[], Supervised<App>[]]> {
  const { config, secrets, guard, logFile, teardown, signal, onChange } = context;
  const start = (part: 'api' | 'worker', descriptions: ReturnType<typeof describeApis>) =>
    Promise.all(
      descriptions.map((app) => {
        const appOptions = { config, guard, logFile: logFile(app.name) };
        const starting = supervise({
          name: app.name,
          start: (stopping) => startApp(app, { ...appOptions, signal: stopping }),
          signal,
          onChange,
          notice: say,
        });
        return stage(app.name, () => teardown.add(part, starting), describeApp);
      }),
    );
  return Promise.all([
    start('api', describeApis(config, around, secrets)),
    start('worker', describeWorkers(config, around, secrets)),
  ]);
}

async function seedDemo(context: Context, dir: StackDir, around: Surroundings) {
  // Loads the whole database client, which the moment before, with everything starting, is no time for.
  const { seed } = await import('./seed.ts');
  return seed({
    config: context.config,
    databaseUrl: around.databaseUrl,
    secrets: context.secrets,
    save: (secrets) => saveSecrets(dir.secrets, secrets),
    signal: context.signal,
  });
}

function describeMigrations(applied: string[]): string {
  return applied.length === 0 ? 'up to date' : `${applied.length} migrations applied`;
}

function describeApp({ current }: Supervised<App>): string {
  return current.url ?? `metrics on ${current.internalUrl}`;
}

function describeDemo(demo: Stack['demo']): string {
  const accounts = Object.values(demo).map(({ email }) => email);
  return accounts.join(', ') || 'no accounts';
}
