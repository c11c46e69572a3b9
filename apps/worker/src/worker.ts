import { createDatabase } from '@gatehouse/db/client';
import type { Broker } from '@gatehouse/domain/broker';
import type { QuoteSource } from '@gatehouse/domain/quote';
import { createSecretBox } from '@gatehouse/domain/secret-box';
import { CATALOGUE } from '@gatehouse/jobs/catalogue';
import { consumerConnection, producerConnection, warmUp } from '@gatehouse/jobs/connection';
import type { Definition } from '@gatehouse/jobs/definition';
import { createDispatcher } from '@gatehouse/jobs/dispatcher';
import { createJobLedger } from '@gatehouse/jobs/ledger';
import { closeQueues, createQueues } from '@gatehouse/jobs/queues';
import { createPayments } from '@gatehouse/payments/client';
import { modeOf } from '@gatehouse/payments/settings';
import { createGuardedAgent } from '@gatehouse/webhooks/agent';
import { webhookSecretKeys } from '@gatehouse/webhooks/settings';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { createAttempt } from './attempt.ts';
import { type Config, passwordResetUrl } from './config.ts';
import { startPublisher } from './events/publisher.ts';
import { createFailureBook } from './failures.ts';
import { startHealthServer } from './health.ts';
import { createMailTransport } from './mail/transport.ts';
import { createMetrics } from './metrics.ts';
import { createOutage } from './outage.ts';
import type { Processor } from './processor.ts';
import { createProcessors, type ProcessorParts } from './processors.ts';
import { createProgress, type ProgressOptions } from './progress.ts';
import { createRegistry } from './registry.ts';
import { createGroupTurns } from './relay/groups.ts';
import { startRelay } from './relay/relay.ts';
import { startSweep } from './relay/sweep.ts';
import { createRunners } from './runner.ts';
import { startSchedulers } from './schedulers.ts';
import { shutDown } from './shutdown.ts';
import { createSender } from './webhooks/sender.ts';

/** A worker also starts without Redis; then it waits for it. */
const WARM_UP_MS = 2_000;

/** Trades and mails share their transactions, and the others are few: more connections would do no more work. */
const DATABASE_CONNECTIONS = 12;

/** What a worker can do. */
export interface Work {
  catalogue: readonly Definition[];
  createProcessors: (parts: ProcessorParts) => readonly Processor[];
}

const ALL_WORK: Work = { catalogue: CATALOGUE, createProcessors };

export interface WorkerParts {
  quotes: QuoteSource;
  /** The one outside; null without access to one. New orders go to whom the configuration says. */
  broker: Broker | null;
  log: Logger;
  /** All that there is, unless told otherwise. */
  work?: Work;
  /** How soon a runner that takes no jobs counts as wedged. */
  progress?: Partial<ProgressOptions>;
}

export interface RunningWorker {
  /** Where `/health`, `/ready` and `/metrics` are. */
  internalUrl: string;
  /** Ends the work in order, within the deadline of the configuration. */
  close(): Promise<void>;
}

/** Starts a worker: everything that the back office does, in one process. Any number may run at once. */
export async function startWorker(
  config: Config,
  { quotes, broker, log, work = ALL_WORK, progress: progressOptions }: WorkerParts,
): Promise<RunningWorker> {
  const connect = (open: typeof producerConnection, what: string): Redis => {
    const outage = createOutage(log, what);
    return open(config.REDIS_URL, outage.noticed).on('ready', outage.over);
  };
  const db = createDatabase(config.DATABASE_URL, {
    connections: DATABASE_CONNECTIONS,
  });
  const redis = connect(producerConnection, 'the connection to Redis');
  const consumer = connect(consumerConnection, 'the connection of the runners to Redis');
  const queues = createQueues(redis, (error) => log.debug({ err: error }, 'a queue met an error'));
  const dispatcher = createDispatcher(db, queues, redis, log);
  const ledger = createJobLedger(dispatcher);

  const transport = createMailTransport(config.SMTP_URL, config.MAIL_FROM);
  const { WEBHOOK_ALLOW_PRIVATE: allowPrivate, WEBHOOK_ALLOW_HTTP: allowHttp } = config;
  const agent = createGuardedAgent({ allowPrivate, allowHttp }, { connections: 1_024 });
  const sender = createSender(agent);
  const closing = new AbortController();
  const registry = createRegistry(
    work.catalogue,
    work.createProcessors({
      db,
      ledger,
      quotes,
      broker,
      brokerOfNewOrders: config.BROKER,
      payments: createPayments(config, log),
      mode: modeOf(config),
      transport,
      sender,
      closing: closing.signal,
      passwordResetUrl: passwordResetUrl(config),
      publicUrl: config.PUBLIC_URL,
      secretBox: createSecretBox(webhookSecretKeys(config)),
    }),
  );
  const metrics = createMetrics();
  const failures = createFailureBook(db, registry, log);
  const onGroupFree = createGroupTurns(db, dispatcher, log);
  const attempt = createAttempt({ db, registry, failures, onGroupFree, log });
  const runners = createRunners({
    connection: consumer,
    concurrency: config.WORKER_CONCURRENCY,
    attempt,
    failures,
    metrics,
    log,
  });

  const progress = createProgress({ redis, runners, log }, progressOptions);
  const health = await startHealthServer(
    { db, redis, runners, progress, metrics },
    { host: config.HOST, port: config.METRICS_PORT },
  );
  await warmUp(redis, WARM_UP_MS);
  for (const runner of runners) runner.start();
  const schedules = work.catalogue.filter((definition) => definition.kind === 'schedule');
  const publisher = startPublisher({ db, ledger, log });
  metrics.watchPublisher(publisher);
  const repeats = [
    publisher,
    startRelay({ db, redis, dispatcher, log }),
    startSweep({ db, redis, queues, log }),
    startSchedulers({ queues, redis, schedules, log }),
    progress.start(),
  ];

  const closeConnections = async (): Promise<void> => {
    transport.close();
    await sender.close();
    await dispatcher.drain();
    await closeQueues(queues);
    redis.disconnect();
    consumer.disconnect();
    await db.$disconnect();
    await health.close();
  };
  return {
    internalUrl: health.url,
    close: () => {
      closing.abort();
      return shutDown(
        { repeats, runners, closeConnections, log },
        config.SHUTDOWN_DEADLINE_SECONDS * 1_000,
      );
    },
  };
}
