import type { Database } from '@gatehouse/db/client';
import { findOrder, type OrderWithFills } from '@gatehouse/db/orders';
import type { Broker } from '@gatehouse/domain/broker';
import type { OrderStatus } from '@gatehouse/domain/order';
import { producerConnection, warmUp } from '@gatehouse/jobs/connection';
import { createDispatcher } from '@gatehouse/jobs/dispatcher';
import { createJobLedger, type JobLedger } from '@gatehouse/jobs/ledger';
import { closeQueues, createQueues, type Queues } from '@gatehouse/jobs/queues';
import { until } from '@gatehouse/testing/condition';
import { testDatabase } from '@gatehouse/testing/database';
import type {} from '@gatehouse/testing/global-setup';
import { testRedis } from '@gatehouse/testing/redis';
import { startTestSmtp, type TestSmtp } from '@gatehouse/testing/smtp';
import type { Redis } from 'ioredis';
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Config, readConfig } from '../src/config.ts';
import { type RunningWorker, startWorker, type Work } from '../src/worker.ts';
import { type TestQuotes, testQuotes } from './quotes.ts';

export interface TestStack {
  db: Database;
  redis: Redis;
  smtp: TestSmtp;
  quotes: TestQuotes;
  /** The gateway's half: what commits and hands over. */
  queues: Queues;
  ledger: JobLedger;
  /** What a worker process of this stack would be started with. */
  environment: NodeJS.ProcessEnv;
  startWorker(
    settings?: NodeJS.ProcessEnv,
    work?: Work,
    otherBroker?: Broker | null,
  ): Promise<RunningWorker>;
  /** Resolves with the order once it is in the status. */
  orderIn(
    status: OrderStatus,
    accountId: string,
    orderId: string,
    timeoutMs?: number,
  ): Promise<OrderWithFills>;
  /** Resolves once nothing is owed any more. */
  allSettled(timeoutMs?: number): Promise<void>;
}

export interface StackOptions {
  /** The one outside; none when left out. */
  broker?: Broker | null;
  /** Beside those that every worker needs. */
  settings?: NodeJS.ProcessEnv;
}

/** Everything a worker works with, for one test, and ends with it. No worker runs yet. */
export async function startStack({
  broker = null,
  settings: stackSettings = {},
}: StackOptions = {}): Promise<TestStack> {
  const cleanUp: (() => Promise<unknown> | unknown)[] = [];
  onTestFinished(async () => {
    for (const each of cleanUp.reverse()) await each();
  });
  const database = await testDatabase();
  cleanUp.push(database.drop);
  const keyspace = await testRedis();
  cleanUp.push(keyspace.drop);
  const smtp = await startTestSmtp();
  cleanUp.push(smtp.close);
  const { db } = database;

  const log: Logger = pino({ level: 'silent' });
  const ignore = () => undefined;
  const redis = producerConnection(keyspace.url, ignore);
  const queues = createQueues(redis, ignore);
  const dispatcher = createDispatcher(db, queues, redis, log);
  await warmUp(redis, 5_000);
  cleanUp.push(async () => {
    await dispatcher.drain();
    await closeQueues(queues);
    redis.disconnect();
  });

  const quotes = testQuotes();
  const environment = {
    DATABASE_URL: database.url,
    REDIS_URL: keyspace.url,
    SMTP_URL: smtp.url,
    WEBHOOK_SECRET_KEYS: 'of a test with 32 characters or more',
    LOG_LEVEL: 'warn',
    WORKER_CONCURRENCY: '8',
    SHUTDOWN_DEADLINE_SECONDS: '10',
    ...stackSettings,
  };
  return {
    db,
    redis,
    smtp,
    quotes,
    queues,
    ledger: createJobLedger(dispatcher),
    environment,
    async startWorker(settings = {}, work, otherBroker = broker) {
      const config: Config = readConfig({ ...environment, ...settings });
      const worker = await startWorker(config, {
        quotes,
        broker: otherBroker,
        log,
        ...(work && { work }),
      });
      let closing: Promise<void> | undefined;
      const close = () => (closing ??= worker.close());
      cleanUp.push(close);
      return { ...worker, close };
    },
    orderIn: (status, accountId, orderId, timeoutMs) =>
      until(
        async () => {
          const order = await findOrder(db, accountId, orderId);
          return order?.status === status && order;
        },
        { what: `the order to be ${status}`, ...(timeoutMs !== undefined && { timeoutMs }) },
      ),
    async allSettled(timeoutMs = 15_000) {
      await until(async () => (await db.job.count()) === 0, {
        what: 'all jobs to settle',
        timeoutMs,
      });
    },
  };
}
