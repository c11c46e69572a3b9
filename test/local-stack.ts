import type { Stack } from '@gatehouse/local/stack-file';
import {
  type LocalStack,
  removeStackDir,
  START_MS,
  startLocalStack,
  temporaryStackDir,
} from '@gatehouse/testing/local-stack';
import { onTestFinished } from 'vitest';

/** What `npm start` runs, with its data in a directory of its own; gone when the test is. */
export function localStack(settings: Record<string, string>) {
  const dir = temporaryStackDir();
  let running: LocalStack | null = null;
  const stack = (): LocalStack => {
    if (running === null) throw new Error('the stack was not started');
    return running;
  };
  onTestFinished(async () => {
    await running?.stop();
    removeStackDir(dir);
  }, START_MS);
  return {
    start: async (): Promise<Stack> => {
      // A busy machine is late, and nothing is to be turned away for that.
      const unhurried = { MAX_EVENT_LOOP_DELAY_MS: '0', ...settings };
      running = await startLocalStack({ dir, settings: unhurried });
      return running.now();
    },
    now: () => stack().now(),
    stop: () => stack().stop(),
  };
}

/** Asks the API of a stack as its demo user. */
export async function ask<T>({ apiUrl, demo }: Stack, path: string, body?: object): Promise<T> {
  const response = await fetch(`${apiUrl}${path}`, {
    headers: {
      authorization: `Bearer ${demo.user?.apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
