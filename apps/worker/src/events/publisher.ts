import type { Database } from '@gatehouse/db/client';
import { unpublishedSeconds } from '@gatehouse/db/event-publishing';
import { transaction } from '@gatehouse/db/transaction';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { publishBatch } from '@gatehouse/jobs/publish-batch';
import type { Logger } from 'pino';
import { type Repeat, repeat } from '../repeat.ts';
import { BatchSize } from './batch-size.ts';

/** From a commit to its delivery this is most of the time that passes. */
const EVERY_MS = 25;

export interface PublisherParts {
  db: Database;
  ledger: JobLedger;
  log: Logger;
}

export interface Publisher extends Repeat {
  /** Seconds for which the oldest event that this process knows of has waited for its place in the log. */
  readonly lagSeconds: number;
}

/**
 * Gives events their place in the log, and endpoints what they are owed of them. Any number of workers may do so at
 * once: one publishes, the others pass. What one that dies leaves behind is rolled back, and the next does it.
 */
export function startPublisher({ db, ledger, log }: PublisherParts): Publisher {
  const size = new BatchSize();
  let waiting: { seconds: number; seenAt: number } | null = null;
  const publishing = repeat({ what: 'the publisher', everyMs: EVERY_MS, log }, async (signal) => {
    while (!signal.aborted) {
      const seconds = await unpublishedSeconds(db);
      waiting = seconds === null ? null : { seconds, seenAt: performance.now() };
      if (waiting === null || !(await publishSome({ db, ledger }, size))) return;
    }
  });
  return {
    ...publishing,
    get lagSeconds() {
      return waiting === null ? 0 : waiting.seconds + (performance.now() - waiting.seenAt) / 1000;
    },
  };
}

/** False when there was nothing to publish, or somebody else does so. */
async function publishSome(
  { db, ledger }: Pick<PublisherParts, 'db' | 'ledger'>,
  size: BatchSize,
): Promise<boolean> {
  try {
    const published = await transaction(db, (tx) => publishBatch(tx, ledger, size.events));
    if (published === null || published.events === 0) return false;
    size.succeeded();
    return true;
  } catch (error) {
    size.failed();
    throw error;
  }
}
