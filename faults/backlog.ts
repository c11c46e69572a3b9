import { performance } from 'node:perf_hooks';
import { createDatabase, type Database } from '@gatehouse/db/client';
import { until } from '@gatehouse/testing/condition';
import { type BacklogReport, inSeconds } from './backlog-report.ts';
import { checkHistory, tally } from './check-history.ts';
import { createClient } from './client.ts';
import { cycle } from './cycle.ts';
import { readFacts } from './facts.ts';
import { flush } from './families/redis.ts';
import { type FaultyStack, startFaultyStack } from './faulty-stack.ts';
import { type Account, openAccount } from './gateway.ts';
import type { History } from './history.ts';
import { brokenInvariants } from './invariants.ts';
import { untilQuiet } from './quiet.ts';
import { seededRandom } from './random.ts';
import { watchRedisMemory } from './redis-memory.ts';
import { freezeWhile } from './signals.ts';
import { createStripeHand } from './stripe-hand.ts';
import { createWishes } from './wishes.ts';

const CLIENTS = 32;
/** Done before Redis is emptied, so that it happens in the middle of the work. */
const DONE_BEFORE_FLUSH = 0.05;
/** Milliseconds for all of it, and for each order. */
const PATIENCE_MS = { least: 60_000, perOrder: 50 } as const;

export interface BacklogOptions {
  say: (line: string) => void;
  /** Ends it early: it throws. */
  signal: AbortSignal;
}

/**
 * Stops the workers, has orders accepted, lets the workers go on, and empties Redis while they do. What the clients
 * were told is then held against what there is, as in a run of the suite.
 */
export async function runBacklog(orders: number, options: BacklogOptions): Promise<BacklogReport> {
  const stack = await startFaultyStack();
  const db = createDatabase(stack.now().databaseUrl, { connections: 3 });
  let keepLogs = true;
  try {
    const report = await runOn(stack, db, orders, options);
    keepLogs = report.findings.length > 0;
    return { ...report, logs: keepLogs ? stack.logs : null };
  } finally {
    await db.$disconnect();
    await stack.stop({ keepLogs });
  }
}

async function runOn(
  stack: FaultyStack,
  db: Database,
  orders: number,
  { say, signal }: BacklogOptions,
): Promise<Omit<BacklogReport, 'logs'>> {
  const { apiUrls: urls, workerPids, redisUrl } = stack.now();
  const history: History = [];
  const memory = watchRedisMemory(redisUrl);
  try {
    const account = await openAccount(urls[0] ?? '', 'backlog', { withKey: false });
    await freezeWhile(workerPids, async () => {
      const begun = performance.now();
      await placeOrders(orders, { account, urls, history, signal });
      say(
        `${orders} orders accepted in ${inSeconds(performance.now() - begun)}, while no worker runs`,
      );
    });
    const owed = await db.job.count();
    const patienceMs = PATIENCE_MS.least + orders * PATIENCE_MS.perOrder;
    await until(async () => (await db.fill.count()) >= orders * DONE_BEFORE_FLUSH, {
      what: 'the work to be under way',
      timeoutMs: patienceMs,
    });
    await flush(stack);
    const flushed = performance.now();
    say(`FLUSHALL, with ${await db.job.count()} jobs owed`);
    const timeOf = async (what: string, isOver: () => Promise<boolean>): Promise<number> => {
      await until(async () => signal.aborted || (await isOver()), { what, timeoutMs: patienceMs });
      signal.throwIfAborted();
      return performance.now() - flushed;
    };
    const filledMs = await timeOf(
      'all to be filled',
      async () => (await db.fill.count()) >= orders,
    );
    const drainedMs = await timeOf('nothing to be owed', async () => (await db.job.count()) === 0);
    await untilQuiet(stack, db, patienceMs);
    const stripe = createStripeHand(stack);
    const { mailDir } = stack;
    const facts = await readFacts(db, [account.id], { mailDir, stripe, listeners: [] });
    const evidence = { history, facts };
    const findings = [...checkHistory(evidence), ...(await brokenInvariants(stack.now()))];
    return {
      findings,
      tally: tally(evidence),
      owed,
      filledMs,
      drainedMs,
      memory: memory.sofar(),
    };
  } finally {
    memory.stop();
  }
}

interface Placing {
  account: Account;
  urls: readonly string[];
  history: History;
  signal: AbortSignal;
}

async function placeOrders(count: number, { account, urls, history, signal }: Placing) {
  const random = seededRandom(count);
  const wishes = createWishes(random.fork('wishes'));
  let left = count;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const url = cycle(urls, index);
      const client = createClient({
        account,
        urls: [url, ...urls],
        random: random.fork(`client ${index}`),
        history,
        giveUp: signal,
      });
      while (left > 0 && !signal.aborted) {
        left -= 1;
        await client.ask(wishes.key(), { kind: 'order', order: wishes.smallOrder() });
      }
    }),
  );
  signal.throwIfAborted();
}
