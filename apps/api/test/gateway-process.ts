import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Config } from '../src/config.ts';
import { call, type Gateway } from './harness.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');

export interface GatewayProcess extends Pick<Gateway, 'url' | 'call'> {
  child: ChildProcess;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

/** A gateway as production runs it, with the secrets and servers of `config` unless `changes` say otherwise. */
export async function spawnGateway(
  config: Config,
  changes: Partial<Record<'DATABASE_URL' | 'REDIS_URL' | 'STRIPE_API_URL', string>> = {},
): Promise<GatewayProcess> {
  const { AUTH_SECRET, AUTH_SIGNING_KEYS, DATABASE_URL, REDIS_URL } = config;
  const { STRIPE_SECRET_KEY, STRIPE_API_URL, WEBHOOK_SECRET_KEYS } = config;
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      LOG_LEVEL: 'silent',
      RATE_LIMIT_MAX: '0',
      MAX_EVENT_LOOP_DELAY_MS: '0',
      AUTH_SECRET,
      AUTH_SIGNING_KEYS,
      DATABASE_URL,
      REDIS_URL,
      STRIPE_SECRET_KEY,
      STRIPE_API_URL,
      WEBHOOK_SECRET_KEYS,
      ...changes,
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const [message] = await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => {
      throw new Error(`the gateway ended with ${code} before it was ready`);
    }),
  ]);
  return {
    url: message.url,
    child,
    call: (method, path, options = {}) => call(message.url + path, method, options),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
