import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ROOT } from '@gatehouse/local/config';
import { ifPresent } from '@gatehouse/local/errors';
import { freePort } from '@gatehouse/local/ports';
import { clearStackDir, openStackDir } from '@gatehouse/local/stack-dir';
import type { Stack } from '@gatehouse/local/stack-file';
import { until } from './condition.ts';

/** How long a stack may take to be up. */
export const START_MS = 120_000;
const STOP_MS = 60_000;

export interface LocalStackOptions {
  /** Where it keeps its data: see `temporaryStackDir`. */
  dir: string;
  /** By their names in `.env.example`. What is not here has its default, and one gateway has any port. */
  settings?: Record<string, string>;
  /** What starts it; the program that `npm start` runs, unless given. */
  command?: readonly [string, ...string[]];
}

/** What `npm start` runs: gateways, workers and all that they use, as processes of their own. */
export interface LocalStack {
  /** Of what was started: the starter, or what runs it. */
  readonly process: ChildProcess;
  /** As its `stack.json` says at this moment. */
  now(): Stack;
  /** All that it has printed. */
  said(): string;
  /** Ends it, by force after a minute. Its data stays. */
  stop(): Promise<void>;
}

/**
 * Starts a whole stack, which knows nothing of what a developer has set, here or in `.env`.
 *
 * @throws with what it printed, when it ends or is not up after two minutes; nothing of it runs then.
 */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const { dir, settings = {} } = options;
  const [program, ...args] = options.command ?? [
    process.execPath,
    join(ROOT, 'packages/local/src/start.ts'),
  ];
  const file = join(dir, 'stack.json');
  // Of a run in this directory that was killed.
  rmSync(file, { force: true });
  const child = spawn(program, args, {
    cwd: ROOT,
    env: environmentWith({ GATEHOUSE_DIR: dir, PORT: `${await freePort()}`, ...settings }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const now = (): Stack => JSON.parse(readFileSync(file, 'utf8')) as Stack;
  const tell = (signal: NodeJS.Signals): void => {
    const starter = ifPresent(now)?.pid;
    // What runs the starter may not pass on what it is told.
    if (starter === undefined) child.kill(signal);
    else ifPresent(() => process.kill(starter, signal));
  };
  const stack: LocalStack = {
    process: child,
    now,
    said: () => said,
    stop: () => end(child, tell),
  };
  try {
    await until(() => existsSync(file) || isOver(child), {
      what: 'the stack to be up',
      timeoutMs: START_MS,
    });
    if (isOver(child)) throw new Error('it ended');
    return stack;
  } catch (cause) {
    await stack.stop();
    throw new Error(`the stack did not start:\n${said}`, { cause });
  }
}

/** This process's environment, in which no setting of Gatehouse has a value but these. */
export function environmentWith(settings: Record<string, string>): NodeJS.ProcessEnv {
  const names = Object.keys(parseEnv(readFileSync(join(ROOT, '.env.example'), 'utf8')));
  // Set to nothing, and so not to what `.env` says.
  const blank = Object.fromEntries(names.map((name) => [name, '']));
  return { ...process.env, ...blank, ...settings };
}

/** A new directory for the data of a stack. */
export function temporaryStackDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-stack-'));
  // The user that Postgres runs as has to pass through.
  chmodSync(dir, 0o755);
  return dir;
}

/** Deletes the data of a stack that has stopped, wherever it is; with `keepLogs` its logs are left. */
export function removeStackDir(path: string, { keepLogs = false } = {}): void {
  clearStackDir(openStackDir(path), false);
  if (!keepLogs) rmSync(path, { recursive: true, force: true });
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

async function end(child: ChildProcess, tell: (signal: NodeJS.Signals) => void): Promise<void> {
  if (isOver(child)) return;
  const ended = once(child, 'exit');
  tell('SIGTERM');
  // Its guard ends what it leaves behind.
  const force = setTimeout(() => {
    tell('SIGKILL');
    child.kill('SIGKILL');
  }, STOP_MS);
  await ended;
  clearTimeout(force);
}
