import type { QueueName } from '@gatehouse/jobs/definition';
import { queuePrefix } from '@gatehouse/jobs/queues';
import type { Redis } from 'ioredis';

const WRITABLE_SECONDS = 10;

/**
 * The BullMQ id of the job of the queue that is the next to be taken; null when there is none, or when none may be
 * taken: the queue is paused, at its global concurrency, or rate limited.
 *
 * One round trip: the commands go out together. They read what BullMQ's `moveToActive` decides by.
 *
 * @throws when Redis does not answer
 */
export async function findNextJob(redis: Redis, queue: QueueName): Promise<string | null> {
  const key = (type: string) => `${queuePrefix(queue)}:${queue}:${type}`;
  const [[paused, concurrency, max], active, spent, waiting, prioritized] = await Promise.all([
    redis.hmget(key('meta'), 'paused', 'concurrency', 'max'),
    redis.llen(key('active')),
    redis.get(key('limiter')),
    redis.lindex(key('wait'), -1),
    redis.zrange(key('prioritized'), '0', '0'),
  ]);
  const isPaused = Boolean(paused);
  const isMaxed = Boolean(concurrency) && active >= Number(concurrency);
  const isLimited = Boolean(max) && Number(spent) >= Number(max);
  if (isPaused || isMaxed || isLimited) return null;
  return waiting ?? prioritized[0] ?? null;
}

/**
 * To take a job is to write. A Redis that is full, or a replica, answers reads and refuses that.
 *
 * @throws when Redis takes no writes for the queue
 */
export async function assertWritable(redis: Redis, queue: QueueName): Promise<void> {
  await redis.set(`${queuePrefix(queue)}:writable`, '1', 'EX', WRITABLE_SECONDS);
}
