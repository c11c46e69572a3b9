import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUES, type QueueName } from './definition.ts';

/** What BullMQ carries of a job. */
export interface JobData {
  id: string;
  generation: number;
  payload: Record<string, string>;
  /** Absent for a job in no group. */
  groupKey?: string;
  requestId: string | null;
}

/** A job as BullMQ hands it to a worker. */
export type CarriedJob = Job<JobData, void, string>;
export type JobQueue = Queue<JobData, void, string>;
export type Queues = Readonly<Record<QueueName, JobQueue>>;

/** The keys of one queue share a slot of a Redis Cluster; those of two queues need not. */
export function queuePrefix(queue: QueueName): string {
  return `{gatehouse:${queue}}`;
}

/**
 * BullMQ's id of one dispatch of a job. BullMQ ignores an `add` under an id that it has seen, so each generation
 * has its own; and an id has no colon and is not all digits.
 */
export function dispatchId({ id, generation }: { id: string; generation: number }): string {
  return `${id}-${generation}`;
}

const HOUR_SECONDS = 3_600;

/** The queues over one connection. What is done stays visible to operators for a while, in bounded number. */
export function createQueues(connection: Redis, onError: (error: Error) => void): Queues {
  const open = (name: QueueName): JobQueue => {
    const queue: JobQueue = new Queue(name, {
      connection,
      prefix: queuePrefix(name),
      skipVersionCheck: true,
      streams: { events: { maxLen: 1_000 } },
      defaultJobOptions: {
        // The ledger counts attempts and times the next: a backoff then survives the loss of Redis.
        attempts: 1,
        removeOnComplete: { age: HOUR_SECONDS, count: 1_000 },
        removeOnFail: { age: 7 * 24 * HOUR_SECONDS, count: 1_000 },
        sizeLimit: 16_384,
        stackTraceLimit: 5,
      },
    });
    return queue.on('error', onError);
  };
  return Object.fromEntries(QUEUES.map((name) => [name, open(name)])) as Record<
    QueueName,
    JobQueue
  >;
}

/** Closes the queues; the connection stays, it is its owner's. */
export async function closeQueues(queues: Queues): Promise<void> {
  await Promise.all(Object.values(queues).map((queue) => queue.close()));
}
