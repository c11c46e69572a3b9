import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { readConfig } from '../src/config.ts';
import { startWorker, type Work } from '../src/worker.ts';
import type { TestStack } from './stack.ts';
import type { TestJob } from './work.ts';

/** Ten looks: a new consumer has two seconds to take its first job, also on a machine that is busy. */
const PROGRESS = { everyMs: 200, wedgedAfterMs: 2_000 };

interface Answer {
  status: number;
  body: unknown;
}

export interface WatchedWorker {
  health(): Promise<Answer>;
  ready(): Promise<Answer>;
  /** A metric with this name, by queue. */
  metric(name: string): Promise<Record<string, number>>;
  /** The lines of its log that speak of the queue, or of no queue. */
  log(queue?: string): { level: number; msg: string; [field: string]: unknown }[];
  close(): Promise<void>;
}

/** A worker in this process that soon finds a runner wedged. Ends with the test. */
export async function startWatchedWorker(
  { environment, quotes }: TestStack,
  work: Work,
  settings: NodeJS.ProcessEnv = {},
): Promise<WatchedWorker> {
  const lines: string[] = [];
  const log = pino({ level: 'info', base: null }, { write: (line) => void lines.push(line) });
  const config = readConfig({ ...environment, ...settings });
  const worker = await startWorker(config, {
    quotes,
    broker: null,
    log,
    work,
    progress: PROGRESS,
  });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= worker.close());
  onTestFinished(close);
  const get = async (path: string): Promise<Answer> => {
    const response = await fetch(`${worker.internalUrl}${path}`);
    return { status: response.status, body: await response.json() };
  };
  return {
    health: () => get('/health'),
    ready: () => get('/ready'),
    async metric(name) {
      const text = await (await fetch(`${worker.internalUrl}/metrics`)).text();
      const samples = text.matchAll(new RegExp(`^${name}\\{queue="(\\w+)"\\} (\\S+)$`, 'gm'));
      return Object.fromEntries([...samples].map(([, queue, value]) => [queue, Number(value)]));
    },
    log: (queue) => lines.map((line) => JSON.parse(line)).filter((line) => line.queue === queue),
    close,
  };
}

/** Owes a job of this title. */
export async function owe({ db, ledger }: TestStack, job: TestJob, title: string): Promise<void> {
  const payload = { subjectId: newId(), title };
  await transaction(db, (tx) => ledger.enqueue(tx, job, payload, { requestId: null }));
}
