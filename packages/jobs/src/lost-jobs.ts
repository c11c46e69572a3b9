import type { DispatchedJob } from '@gatehouse/db/jobs';
import { QueueKeys } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUES } from './definition.ts';
import { dispatchId, queuePrefix } from './queues.ts';

/**
 * Those of the jobs that will not run: Redis has never heard of their dispatch or has forgotten it, or is done with
 * it although the row is still there. Jobs of a queue that this version does not know are left to one that does.
 *
 * @throws when Redis does not answer for one of them
 */
export async function findLost<J extends DispatchedJob>(
  redis: Redis,
  jobs: readonly J[],
): Promise<J[]> {
  const pipeline = redis.pipeline();
  const known = jobs.filter(({ queue }) => keysOf.has(queue));
  for (const job of known) pipeline.hmget(jobKey(job), 'timestamp', 'finishedOn');
  const answers = (await pipeline.exec()) ?? [];
  return known.filter((_, index) => {
    const [error, fields] = answers[index] ?? [new Error('Redis left a command unanswered')];
    if (error) throw error;
    const [timestamp, finishedOn] = Array.isArray(fields) ? fields : [];
    return timestamp === null || finishedOn !== null;
  });
}

const keysOf = new Map<string, QueueKeys>(
  QUEUES.map((queue) => [queue, new QueueKeys(queuePrefix(queue))]),
);

function jobKey(job: DispatchedJob): string {
  const keys = keysOf.get(job.queue);
  if (keys === undefined) throw new Error(`there is no queue ${job.queue}`);
  return keys.toKey(job.queue, dispatchId(job));
}
