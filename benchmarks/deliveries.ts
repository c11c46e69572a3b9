import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createDatabase, type Database } from '@gatehouse/db/client';
import { insertEvents } from '@gatehouse/db/events';
import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { startOneGateway } from './one-gateway.ts';

/**
 * `node benchmarks/deliveries.ts`: how many events a second one worker delivers to endpoints on this machine, from the
 * commit of the events, and how many the usual way delivers from a queue that is full already. In turns, to the same
 * receiver. On a machine that does nothing else; never a part of `npm test`.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
  },
});
const events = Number(values.events);
const rounds = Number(values.rounds);

/** Events that one statement inserts. */
const BATCH = 500;
const POLL_MS = 20;

const gateway = await startOneGateway({
  WEBHOOK_ALLOW_PRIVATE: 'true',
  WEBHOOK_ALLOW_HTTP: 'true',
});
const db = createDatabase(gateway.stack.databaseUrl);
const receiver = spawnScript('counting-receiver.ts', {});
try {
  const { url } = await message<{ url: string }>(receiver);
  const endpoint = await createEndpoint(url);
  await deliverHere(endpoint, BATCH);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    ours.push(await deliverHere(endpoint, events));
    theirs.push(await deliverNaively(url));
    console.log(`${round}: here ${perSecond(ours)} a second; the usual way ${perSecond(theirs)}`);
  }
  const [here, there] = [median(ours), median(theirs)];
  console.log(
    `medians: here ${here.toFixed(0)} a second; the usual way ${there.toFixed(0)}: ` +
      `${(here / there).toFixed(1)} times as many`,
  );
  await assertRecorded(db, endpoint.id);
} finally {
  receiver.kill();
  await db.$disconnect();
  await gateway.stop();
}

interface Endpoint {
  id: string;
  accountId: string;
}

async function createEndpoint(url: string): Promise<Endpoint> {
  const response = await fetch(`${gateway.url}/v1/webhook-endpoints`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url, eventTypes: ['task.*'], maxConcurrency: 64 }),
  });
  if (response.status !== 201) throw new Error(`the endpoint was answered ${response.status}`);
  const { id } = (await response.json()) as { id: string };
  return db.webhookEndpoint.findUniqueOrThrow({ where: { id } });
}

/** Deliveries a second, with the publishing of the events and the fan-out. */
async function deliverHere({ accountId }: Endpoint, count: number): Promise<number> {
  const before = await received();
  const begin = performance.now();
  for (let inserted = 0; inserted < count; inserted += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - inserted) }, () => ({
      id: newId(),
      accountId,
      type: 'task.created' as const,
      data: { id: newId(), title: 'x'.repeat(200) },
      requestId: null,
      at: new Date(),
    }));
    await db.$transaction((tx) => insertEvents(tx, batch));
  }
  return rate(begin, before, count);
}

async function deliverNaively(url: string): Promise<number> {
  const { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL } = gateway.stack;
  // Those of the warm-up: an attempt of the usual way says nothing of one of ours.
  const warmedUp = await db.webhookDelivery.findMany({ orderBy: { id: 'asc' }, take: BATCH });
  const naive = spawnScript('naive-deliveries.ts', {
    DATABASE_URL,
    REDIS_URL,
    RECEIVER: url,
    DELIVERIES: warmedUp.map(({ id }) => id).join(','),
    JOBS: `${events}`,
  });
  await message(naive);
  const before = await received();
  const begin = performance.now();
  naive.send({});
  const figure = await rate(begin, before, events);
  naive.kill();
  return figure;
}

async function rate(begin: number, before: number, count: number): Promise<number> {
  while ((await received()) < before + count) await delay(POLL_MS);
  return (count * 1_000) / (performance.now() - begin);
}

async function received(): Promise<number> {
  receiver.send({});
  return (await message<{ count: number }>(receiver)).count;
}

/** Nothing was won by leaving out what each delivery owes. */
async function assertRecorded(database: Database, endpointId: string): Promise<void> {
  const succeeded = { endpointId, status: 'succeeded' as const };
  await until(
    async () => {
      const deliveries = await database.webhookDelivery.count({ where: succeeded });
      return deliveries === rounds * events + BATCH;
    },
    { what: 'every delivery to be recorded', timeoutMs: 60_000 },
  );
  const silent = { ...succeeded, history: { none: {} } };
  const unrecorded = await database.webhookDelivery.count({ where: silent });
  if (unrecorded > 0) throw new Error(`${unrecorded} deliveries have no attempt`);
}

function spawnScript(script: string, environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, script)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function message<T>(child: ChildProcess): Promise<T> {
  const [received] = (await once(child, 'message')) as [T];
  return received;
}

function perSecond(figures: readonly number[]): string {
  return (figures.at(-1) ?? 0).toFixed(0);
}

function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
