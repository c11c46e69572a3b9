import type { Database } from '@gatehouse/db/client';
import { checkInvariants } from '@gatehouse/db/invariants';
import { transaction } from '@gatehouse/db/transaction';
import { beginReplay, measureWindow } from '@gatehouse/db/webhook-replays';
import { newId } from '@gatehouse/domain/id';
import { replayWebhooks } from '@gatehouse/jobs/definitions/replay-webhooks';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { createReplayWebhooks } from '../src/processors/replay-webhooks.ts';
import { settleAlone } from '../src/settlement.ts';

export const ledger = createIdleLedger();
export const HOUR = 3_600_000;

export async function setUp() {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  return { db, accountId };
}

interface Wish {
  since?: Date;
  until?: Date | null;
  onlyFailed?: boolean;
}

/** The id of a replay of everything, unless told otherwise, that is owed its job. */
export async function begin(db: Database, accountId: string, endpointId: string, wish: Wish = {}) {
  const id = newId();
  await transaction(db, async (tx) => {
    const window = { since: new Date(0), until: new Date(Date.now() + HOUR), ...wish };
    await ledger.enqueue(tx, replayWebhooks, { replayId: id }, { requestId: 'r' });
    const replay = { onlyFailed: false, ...window, id, accountId, endpointId, requestId: 'r' };
    await beginReplay(tx, replay, await measureWindow(tx, replay));
  });
  return id;
}

/** Runs the job of a replay once, as a worker does. */
export async function run(
  db: Database,
  replayId: string,
  closing = new AbortController().signal,
): Promise<void> {
  const { id: jobId } = await db.job.findFirstOrThrow({ where: { subjectId: replayId } });
  await createReplayWebhooks({ db, ledger, closing }).run(
    { replayId },
    {
      ...{ jobId, requestId: 'r', isOwed: async () => true, log: pino({ level: 'silent' }) },
      signal: new AbortController().signal,
      settle: (effect) => settleAlone(db, jobId, effect),
      settleTogether: () => Promise.reject(new Error('it settles alone')),
    },
  );
}

export async function broken(db: Database): Promise<string[]> {
  return (await checkInvariants(db)).flatMap(({ violations }) => violations);
}

/** What an endpoint has, in its order: `<seq> <status>`. */
export async function deliveries(db: Database, endpointId: string): Promise<string[]> {
  const rows = await db.webhookDelivery.findMany({
    where: { endpointId },
    orderBy: { sequence: 'asc' },
    include: { event: true },
  });
  return rows.map(({ event, status }) => `${event.seq} ${status}`);
}

/** As if all that is pending had ended so. */
export async function end(
  db: Database,
  status: 'succeeded' | 'failed',
  sequences?: readonly number[],
) {
  const where = {
    status: 'pending',
    ...(sequences && { sequence: { in: [...sequences] } }),
  } as const;
  const ended = await db.webhookDelivery.findMany({ where });
  const error = status === 'failed' ? 'timed out' : null;
  await db.webhookAttempt.createMany({
    data: ended.map(({ id: deliveryId }) => ({
      ...{ id: newId(), deliveryId, at: new Date(), durationMs: 1, error },
    })),
  });
  const data = { status, nextAttemptAt: null, endedAt: new Date(), attempts: 10 };
  await db.webhookDelivery.updateMany({ where, data });
}

export const MANY = 1_300;

/** An account with so many events, and an endpoint that came later. */
export async function withMany(db: Database, accountId: string): Promise<string> {
  await addTestEvents(db, accountId, Array<'task.due'>(MANY).fill('task.due'));
  await publishTestEvents(db, ledger);
  return createTestEndpoint(db, accountId);
}

export const everyEvent = (status: string) =>
  Array.from({ length: MANY }, (_, index) => `${index + 1} ${status}`);
