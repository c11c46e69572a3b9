import { performance } from 'node:perf_hooks';
import type { Database } from '@gatehouse/db/client';
import { type Client, pause } from './client.ts';
import { cycle } from './cycle.ts';
import { orderStatus } from './gateway.ts';
import { idOf } from './history.ts';
import type { Wishes } from './wishes.ts';

const POLL_MS = 20;

/** Those that are due as soon as they are owed. */
const PROMPT_JOBS = ['execute-trade', 'cancel-trade', 'send-email'];

/** Milliseconds from the end of a fault; null when that was not waited for. */
export interface Recovery {
  /** Until the first order that was posted after it is filled. */
  newOrderMs: number | null;
  /** Until nothing is owed any more that was owed at its end. */
  backlogMs: number | null;
}

export interface RecoveryParts {
  client: Client;
  wishes: Wishes;
  urls: readonly string[];
  db: Database;
  giveUp: AbortSignal;
}

/** Posts an order as anybody would, and waits until it and all that came before it is done. */
export async function measureRecovery(parts: RecoveryParts): Promise<Recovery> {
  const begun = performance.now();
  const timeOf = async (isOver: () => Promise<boolean>): Promise<number | null> => {
    while (!parts.giveUp.aborted) {
      // What cannot answer yet has not recovered.
      if (await isOver().catch(() => false)) return performance.now() - begun;
      await pause(POLL_MS, parts.giveUp);
    }
    return null;
  };
  const [newOrderMs, backlogMs] = await Promise.all([
    newOrder(parts).then((isFilled) => (isFilled === null ? null : timeOf(isFilled))),
    timeOf(backlog(parts.db, new Date())),
  ]);
  return { newOrderMs, backlogMs };
}

/** Posts an order; gives how to ask whether it is filled, or null when nobody took it. */
async function newOrder({ client, wishes, urls }: RecoveryParts) {
  const answer = await client.ask(wishes.key(), { kind: 'order', order: wishes.smallOrder() });
  const orderId = answer === undefined ? null : idOf(answer.body);
  if (orderId === null) return null;
  let tries = 0;
  return async () =>
    (await orderStatus(cycle(urls, tries++), client.account, orderId)) === 'filled';
}

function backlog(db: Database, createdBefore: Date): () => Promise<boolean> {
  const where = {
    name: { in: PROMPT_JOBS },
    createdAt: { lte: createdBefore },
    state: { not: 'dead' as const },
  };
  return async () => (await db.job.count({ where })) === 0;
}
