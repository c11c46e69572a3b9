import type { Database } from '@gatehouse/db/client';
import { takeGroupHeads, takeNextOfGroup } from '@gatehouse/db/due-jobs';
import type { QueueName } from '@gatehouse/jobs/definition';
import type { Dispatcher } from '@gatehouse/jobs/dispatcher';
import type { Logger } from 'pino';

/** Groups that one statement looks at, each a step through an index. */
const PAGE = 500;

/** A round ends after this many, and the next goes on from there: ungrouped jobs are not to wait for it. */
const PAGES_AT_MOST = 4;

/** Hands over the heads of a queue's groups, as many as there is room for. */
export type GroupRelay = (queue: QueueName, room: number) => Promise<void>;

export function createGroupRelay(db: Database, dispatcher: Dispatcher): GroupRelay {
  const positions = new Map<QueueName, string | null>();
  return async (queue, room) => {
    let left = room;
    for (let page = 0; page < PAGES_AT_MOST && left > 0; page++) {
      const limit = Math.min(PAGE, left);
      const after = positions.get(queue) ?? null;
      const { jobs, next } = await takeGroupHeads(db, queue, { after, limit });
      dispatcher.dispatch(jobs);
      positions.set(queue, next);
      left -= jobs.length;
      if (next === null) return;
    }
  };
}

/**
 * Hands over the next job of a group as soon as the one before it is over, so that a group's pace is not the relay's.
 * When that fails the relay does it.
 */
export function createGroupTurns(db: Database, dispatcher: Dispatcher, log: Logger) {
  return (queue: string, groupKey: string): void => {
    takeNextOfGroup(db, queue, groupKey)
      .then((jobs) => dispatcher.dispatch(jobs))
      .catch((error: unknown) => {
        log.debug({ err: error, queue, groupKey }, 'the next of a group is left to the relay');
      });
  };
}
