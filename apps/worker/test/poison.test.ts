import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { expect, onTestFinished, test } from 'vitest';
import { harmlessJob, POISONS, poisonJob } from './poison.ts';
import { startStack, type TestStack } from './stack.ts';
import type { TestJob } from './work.ts';

const WORKER = fileURLToPath(new URL('./poison-worker.ts', import.meta.url));
const NEIGHBOURS = 15;

/** A worker process that is started anew whenever it ends, until the test does. */
function superviseWorker(environment: NodeJS.ProcessEnv) {
  let isOver = false;
  let ends = 0;
  let child: ChildProcess | undefined;
  const start = () => {
    child = spawn(process.execPath, ['--max-old-space-size=128', WORKER], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: 'ignore',
    });
    child.on('exit', () => {
      if (isOver) return;
      ends++;
      start();
    });
  };
  start();
  onTestFinished(() => {
    isOver = true;
    child?.kill('SIGKILL');
  });
  return { ends: () => ends };
}

function add({ db, ledger }: TestStack, job: TestJob, title: string): Promise<void> {
  return transaction(db, (tx) =>
    ledger.enqueue(tx, job, { subjectId: newId(), title }, { requestId: null }),
  );
}

test('a job that throws, exits, hoards memory or spins is dead after its attempts, and its neighbours are done', async () => {
  const outcomes = await Promise.all(
    POISONS.map(async (poison) => {
      const stack = await startStack();
      const { db, environment } = stack;
      const worker = superviseWorker(environment);
      await add(stack, poisonJob, poison);
      for (let index = 0; index < NEIGHBOURS; index++) await add(stack, harmlessJob, 'neighbour');
      await until(async () => (await db.job.count({ where: { state: { not: 'dead' } } })) === 0, {
        what: `the end of the job that ${poison}`,
        timeoutMs: 100_000,
      });
      return { poison, left: await db.job.findMany(), processes: worker.ends() };
    }),
  );
  for (const { poison, left, processes } of outcomes) {
    expect(left, poison).toMatchObject([{ name: 'poison', state: 'dead', attempts: 2 }]);
    expect(left[0]?.lastError, poison).toBe(
      poison === 'throws'
        ? 'Error: poison'
        : 'Error: the run was lost: its worker died, or was cut off from Redis',
    );
    expect(processes, poison).toBe(poison === 'throws' ? 0 : 2);
  }
}, 120_000);
