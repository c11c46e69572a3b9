import { assertReady } from '@gatehouse/jobs/connection';
import type { QueueName } from '@gatehouse/jobs/definition';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { assertWritable, findNextJob } from './progress-next-job.ts';
import { Standstill } from './progress-standstill.ts';
import { type Repeat, repeat } from './repeat.ts';
import type { Runner } from './runner.ts';

export interface ProgressOptions {
  /** Milliseconds between two looks at the queues. */
  everyMs: number;
  /** Milliseconds after which a runner that takes nothing is wedged; rounded up to whole looks. */
  wedgedAfterMs: number;
}

/** Longer than BullMQ waits by itself before it looks again (5 s), should it have missed that a job came. */
const DEFAULTS: ProgressOptions = { everyMs: 2_000, wedgedAfterMs: 10_000 };

const LOOP_ENDED = 'the loop ended';

export interface ProgressParts {
  /** A connection that fails soon when Redis does not answer. */
  redis: Redis;
  runners: readonly Runner[];
  log: Logger;
}

/** Watches whether the runners take the jobs that wait. BullMQ's `isRunning()` is true of one that never will. */
export interface Progress {
  /** The queues whose runners were recreated and take nothing all the same: only a new process may help. */
  wedged(): QueueName[];
  start(): Repeat;
}

interface Watched {
  runner: Runner;
  standstill: Standstill;
  /** Of the runner, at the last look. */
  taken: number;
}

/**
 * A runner is wedged when the same job has been the next to be taken at each look for so long, while the runner had
 * places and took nothing. With others at work that take what it leaves, it is not, until they are full. A job of a
 * higher priority becomes the next in front of one that waits; but that happens once per priority, and not for ever.
 *
 * Then it is recreated; when that does not help for as long again, the queue is {@link Progress.wedged}, and it is
 * recreated more and more rarely. While Redis does not answer nobody can take jobs, and nothing is observed.
 */
export function createProgress(
  { redis, runners, log }: ProgressParts,
  options: Partial<ProgressOptions> = {},
): Progress {
  const { everyMs, wedgedAfterMs } = { ...DEFAULTS, ...options };
  const patience = Math.ceil(wedgedAfterMs / everyMs);
  const all: readonly Watched[] = runners.map((runner) => {
    return { runner, standstill: new Standstill(patience), taken: runner.taken };
  });

  const look = async (watched: Watched): Promise<void> => {
    const { runner, standstill } = watched;
    const { queue } = runner;
    try {
      assertReady(redis);
      const stands = await whatStandsStill(redis, watched);
      if (standstill.saw(stands)) log.info({ queue }, 'the queue moves again');
      if (stands === LOOP_ENDED) standstill.proven();
      if (!standstill.isRemedyDue) return;
      await assertWritable(redis, queue);
    } catch (error) {
      standstill.forget();
      throw error;
    }
    standstill.remedied();
    const { isHopeless, forMs, what } = standstill;
    log[isHopeless ? 'error' : 'warn'](
      { queue, forMs, standstill: what },
      'the runner of the queue takes no jobs: recreating it',
    );
    runner.recreate();
  };
  return {
    wedged: () =>
      all.filter(({ standstill }) => standstill.isHopeless).map(({ runner }) => runner.queue),
    start: () =>
      repeat({ what: 'the progress check', everyMs, log }, async () => {
        // A queue whose slot of a Redis Cluster is away takes the others' looks from nobody.
        const looks = await Promise.allSettled(all.map(look));
        const failed = looks.find((each) => each.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
      }),
  };
}

/** The next job, or the loop; null when the runner took something, could not, or there is nothing to take. */
async function whatStandsStill(redis: Redis, watched: Watched): Promise<string | null> {
  const { runner } = watched;
  if (runner.hasEnded) return LOOP_ENDED;
  const hasTaken = runner.taken !== watched.taken;
  watched.taken = runner.taken;
  // A runner at work costs no question.
  if (runner.state !== 'running' || runner.isFull || hasTaken) return null;
  const next = await findNextJob(redis, runner.queue);
  return runner.taken === watched.taken ? next : null;
}
