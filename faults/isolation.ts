import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase, type Database } from '@gatehouse/db/client';
import { until } from '@gatehouse/testing/condition';
import { createClient } from './client.ts';
import { startFaultyStack } from './faulty-stack.ts';
import { openAccount } from './gateway.ts';
import { seededRandom } from './random.ts';
import { freezeWhile } from './signals.ts';
import { createWishes } from './wishes.ts';

/** Orders a second, each at its time: clients that waited for an answer would hide what is slow. */
const RATE = 20;
const FILLED_MS = 60_000;

export interface IsolationOptions {
  /** Of each half. */
  seconds: number;
  say: (line: string) => void;
  signal: AbortSignal;
}

/** Milliseconds from the acceptance of an order to its fill. */
interface Latency {
  orders: number;
  p50: number;
  p99: number;
}

/**
 * Measures how long orders take in peace, and while the mail server hangs: what waits for one queue is not to hold up
 * another. The first seconds are not counted, since everything is slower then.
 */
export async function runIsolation({ seconds, say, signal }: IsolationOptions): Promise<void> {
  const stack = await startFaultyStack();
  const db = createDatabase(stack.now().databaseUrl, { connections: 3 });
  try {
    const { mailPid, apiUrls: urls } = stack.now();
    if (mailPid === null) throw new TypeError('the stack embeds no mail server');
    const account = await openAccount(urls[0] ?? '', 'isolation', { withKey: true });
    const random = seededRandom(seconds);
    const wishes = createWishes(random.fork('wishes'));
    const client = createClient({ account, urls, random, history: [], giveUp: signal });
    const place = async (count: number): Promise<Latency> => {
      const { now } = await clock(db);
      const placed = [];
      for (let index = 0; index < count; index++) {
        placed.push(client.ask(wishes.key(), { kind: 'order', order: wishes.smallOrder() }));
        await delay(1_000 / RATE, undefined, { signal });
      }
      await Promise.all(placed);
      await until(async () => (await unfilled(db)) === 0, {
        what: 'the orders to be filled',
        timeoutMs: FILLED_MS,
      });
      return latencySince(db, now);
    };

    await place(RATE * 5);
    const calm = await place(RATE * seconds);
    say(`in peace                     ${line(calm)}`);
    let hanging = calm;
    await freezeWhile([mailPid], async () => {
      hanging = await place(RATE * seconds);
    });
    say(`while the mail server hangs  ${line(hanging)}`);
    say(`p99 is ${(hanging.p99 / calm.p99).toFixed(2)} times as long`);
  } finally {
    await db.$disconnect();
    await stack.stop({ keepLogs: false });
  }
}

const line = ({ orders, p50, p99 }: Latency): string =>
  `${orders} orders, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`;

async function clock(db: Database): Promise<{ now: Date }> {
  const [row] = await db.$queryRaw<{ now: Date }[]>`SELECT now()`;
  if (row === undefined) throw new Error('the database does not know the time');
  return row;
}

function unfilled(db: Database): Promise<number> {
  return db.order.count({ where: { status: { not: 'filled' } } });
}

async function latencySince(db: Database, since: Date): Promise<Latency> {
  const [row] = await db.$queryRaw<Latency[]>`
    SELECT count(*)::int AS orders,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::float8 AS p50,
      percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::float8 AS p99
    FROM (
      SELECT EXTRACT(EPOCH FROM filled_at - created_at) * 1000 AS ms FROM "order" WHERE created_at > ${since}
    ) AS taken`;
  if (row === undefined) throw new Error('there are no orders');
  return row;
}
