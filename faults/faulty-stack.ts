import { join } from 'node:path';
import { assertPortFree, freePort } from '@gatehouse/local/ports';
import type { Stack } from '@gatehouse/local/stack-file';
import { removeStackDir, startLocalStack, temporaryStackDir } from '@gatehouse/testing/local-stack';

/** A whole stack of real processes of its own, in a directory of its own, to be mistreated. */
export interface FaultyStack {
  readonly dir: string;
  readonly logs: string;
  /** Where the mail server keeps what it received, a file a message. */
  readonly mailDir: string;
  /** As its `stack.json` says at this moment. */
  now(): Stack;
  /** Ends it and deletes its data, save the logs when they are to be kept. */
  stop(options: { keepLogs: boolean }): Promise<void>;
}

/**
 * Starts two gateways, two workers and all that they use, as `npm start` does.
 *
 * @throws when it is not up after two minutes; nothing of it runs then.
 */
export async function startFaultyStack(): Promise<FaultyStack> {
  const dir = temporaryStackDir();
  try {
    const stack = await startLocalStack({ dir, settings: await settings() });
    return {
      dir,
      logs: join(dir, 'logs'),
      mailDir: join(dir, 'mail'),
      now: stack.now,
      async stop(options) {
        await stack.stop();
        removeStackDir(dir, options);
      },
    };
  } catch (error) {
    removeStackDir(dir);
    throw error;
  }
}

async function settings(): Promise<Record<string, string>> {
  return {
    PORT: `${await twoFreePorts()}`,
    APIS: '2',
    WORKERS: '2',
    RATE_LIMIT_MAX: '0',
    RATE_LIMIT_AUTH_MAX: '0',
    // Nobody is ever refused for want of money: a rejected purchase would be a finding.
    PAPER_STARTING_CASH: '900000000000.00',
  };
}

/** A port that is free, as is the next one. */
async function twoFreePorts(): Promise<number> {
  while (true) {
    const port = await freePort();
    const isFree = await assertPortFree(port + 1, 'APIS').then(
      () => true,
      () => false,
    );
    if (isFree) return port;
  }
}
