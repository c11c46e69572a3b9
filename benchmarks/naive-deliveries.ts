import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createDatabase } from '@gatehouse/db/client';
import { newId } from '@gatehouse/domain/id';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

/**
 * How webhooks are mostly delivered: a job of BullMQ for each, which signs, calls `fetch`, and writes down the attempt with
 * one insert. Its jobs are in Redis before it begins, and nothing knows of them besides. Says so to its parent, and begins
 * when told.
 */
const {
  DATABASE_URL = '',
  REDIS_URL = '',
  RECEIVER = '',
  DELIVERIES = '',
  JOBS = '0',
} = process.env;
const CONCURRENCY = 64;

/** What the attempts are of, in turns: many, so that the inserts do not wait for the row of one. */
const deliveryIds = DELIVERIES.split(',');

const db = createDatabase(DATABASE_URL, { connections: 20 });
const queue = new Queue('naive', { connection: new Redis(REDIS_URL), prefix: '{naive}' });
const key = randomBytes(24);
const body = JSON.stringify({
  type: 'task.created',
  timestamp: new Date().toISOString(),
  data: { id: newId(), title: 'x'.repeat(200) },
});
await queue.addBulk(
  Array.from({ length: Number(JOBS) }, (_, index) => ({
    name: 'deliver',
    data: {
      id: randomUUID(),
      deliveryId: deliveryIds[index % deliveryIds.length] ?? '',
      url: RECEIVER,
      body,
    },
    opts: { removeOnComplete: true },
  })),
);
process.send?.({ ready: true });
await once(process, 'message');

const worker = new Worker<{ id: string; deliveryId: string; url: string; body: string }>(
  'naive',
  async ({ data }) => {
    const at = new Date();
    const timestamp = Math.floor(at.getTime() / 1_000);
    const signature = createHmac('sha256', key)
      .update(`${data.id}.${timestamp}.${data.body}`)
      .digest('base64');
    const response = await fetch(data.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': data.id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': `v1,${signature}`,
      },
      body: data.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(15_000),
    });
    const responseBody = await response.text();
    const durationMs = Date.now() - at.getTime();
    await db.webhookAttempt.create({
      data: {
        id: newId(),
        deliveryId: data.deliveryId,
        at,
        statusCode: response.status,
        durationMs,
        responseBody,
      },
    });
  },
  {
    connection: new Redis(REDIS_URL, { maxRetriesPerRequest: null }),
    prefix: '{naive}',
    concurrency: CONCURRENCY,
  },
);
worker.on('error', (error) => console.error(error));
