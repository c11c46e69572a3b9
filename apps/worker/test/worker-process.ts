import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export interface WorkerProcess {
  child: ChildProcess;
  internalUrl: string;
  /** Everything it wrote. */
  output(): string;
  /** Sends the signal and resolves with how and when the process ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; afterMs: number }>;
}

/** Starts a worker as production does, and resolves when it says that it is ready. Ends with the test. */
export async function spawnWorker(environment: NodeJS.ProcessEnv): Promise<WorkerProcess> {
  const { child, output } = spawnMain(environment);
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the worker ended before it was ready:\n${output()}`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  const { type, url, internalUrl } = message;
  if (type !== 'ready' || url !== null) throw new Error(`unexpected: ${JSON.stringify(message)}`);
  return {
    child,
    internalUrl,
    output,
    async end(signal) {
      const since = performance.now();
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code] = await exited;
      return { code, afterMs: performance.now() - since };
    },
  };
}

export function spawnMain(environment: NodeJS.ProcessEnv): {
  child: ChildProcess;
  output: () => string;
} {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  return { child, output: () => chunks.join('') };
}
