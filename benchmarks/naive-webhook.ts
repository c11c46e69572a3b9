import { randomUUID } from 'node:crypto';
import { createDatabase } from '@gatehouse/db/client';
import { Queue } from 'bullmq';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import Stripe from 'stripe';

/**
 * How webhooks of Stripe are mostly taken, as careful as that gets: the library verifies, the event is inserted under its
 * id, and its job is added before the answer. Between the two a process may die, and nobody would know of the job.
 * Listens on 127.0.0.1 and sends its parent the URL.
 */
const { DATABASE_URL = '', REDIS_URL = '', SECRET = '' } = process.env;
const db = createDatabase(DATABASE_URL, { connections: 20 });
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: 1 });
const queue = new Queue('naive', { connection, prefix: '{naive}' });
const stripe = new Stripe('sk_test_unused');

const app = Fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (_, body, done) =>
  done(null, body),
);
app.post<{ Body: Buffer }>('/webhooks/stripe', async ({ body, headers }) => {
  const signature = headers['stripe-signature'] ?? '';
  const { id: eventId, type, livemode } = stripe.webhooks.constructEvent(body, signature, SECRET);
  const id = randomUUID();
  const payload = body.toString();
  await db.stripeEvent.create({
    data: { id, eventId, type, livemode, payload, status: 'ignored' },
  });
  await queue.add('process', { id }, { jobId: id, removeOnComplete: true });
  return { received: true };
});
const url = await app.listen({ port: 0, host: '127.0.0.1' });
process.send?.({ url });
