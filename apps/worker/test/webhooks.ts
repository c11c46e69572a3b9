import type { Database } from '@gatehouse/db/client';
import { insertEvents } from '@gatehouse/db/events';
import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { createSecretBox } from '@gatehouse/domain/secret-box';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import { until } from '@gatehouse/testing/condition';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { type ReceivedRequest, type Receiver, startReceiver } from '@gatehouse/testing/receiver';
import { webhookSecretKeys } from '@gatehouse/webhooks/settings';
import { newWebhookSecret, verifyWebhook } from '@gatehouse/webhooks/signing';
import { onTestFinished } from 'vitest';
import { startStack, type TestStack } from './stack.ts';

/** A receiver on loopback is one that a worker may send to. */
export const LOCAL = { WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_ALLOW_HTTP: 'true' };

export interface TestEndpoint {
  id: string;
  accountId: string;
  /** Of its owner. */
  email: string;
  secret: string;
}

export interface WebhookStack extends TestStack {
  receiver: Receiver;
  /** An endpoint that listens to nothing; `owe` it something. */
  createEndpoint(path: string, changes?: EndpointChanges): Promise<TestEndpoint>;
  /** Owes an endpoint so many events, in one commit, and returns their ids in the order of their sequence. */
  owe(endpoint: TestEndpoint, count?: number): Promise<string[]>;
  /** Has everything that an endpoint waits for be due now, and its pause over. */
  makeDue(endpoint: TestEndpoint): Promise<void>;
  deliveryOf(endpoint: TestEndpoint, eventId: string): ReturnType<typeof findDelivery>;
}

export interface EndpointChanges {
  /** In place of that of the receiver. */
  url?: string;
  ordered?: boolean;
  maxConcurrency?: number;
  rateLimitPerSecond?: number;
  failures?: number;
  failingSince?: Date;
  /** The one before, and until when it holds. */
  previous?: { secret: string; until: Date };
}

/** A worker's stack with a receiver of webhooks. */
export async function startWebhookStack(settings: NodeJS.ProcessEnv = {}): Promise<WebhookStack> {
  const stack = await startStack({ settings: { ...LOCAL, ...settings } });
  const { db, ledger, environment } = stack;
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const { WEBHOOK_SECRET_KEYS = '' } = environment;
  const box = createSecretBox(webhookSecretKeys({ WEBHOOK_SECRET_KEYS }));
  return {
    ...stack,
    receiver,
    async createEndpoint(path, { url = receiver.url(path), previous, ...changes } = {}) {
      const { accountId, email } = await createTestAccount(db);
      const id = newId();
      const secret = newWebhookSecret();
      await db.webhookEndpoint.create({
        data: {
          ...{ id, accountId, url, eventTypes: ['*'], maxConcurrency: 10, ordered: false },
          sealedSecret: box.seal(secret, id),
          ...(previous && {
            previousSealedSecret: box.seal(previous.secret, id),
            previousSecretExpiresAt: previous.until,
          }),
          ...changes,
        },
      });
      return { id, accountId, email, secret };
    },
    owe: (endpoint, count = 1) =>
      transaction(db, async (tx) => {
        const { id: endpointId, accountId } = endpoint;
        const { lastSequence: last } = await tx.webhookEndpoint.update({
          where: { id: endpointId },
          data: { lastSequence: { increment: count } },
        });
        const first = last - BigInt(count) + 1n;
        const ids = Array.from({ length: count }, () => newId());
        const at = new Date();
        const log = await tx.eventLog.update({
          where: { id: 1 },
          data: { lastSeq: { increment: count } },
        });
        await insertEvents(
          tx,
          ids.map((id, index) => ({
            ...{ id, accountId, at, requestId: null },
            type: 'task.created',
            data: { z: 'first', index, text: 'ä "quoted"' },
          })),
        );
        const seqs = ids.map((_, index) => log.lastSeq - BigInt(count - 1 - index));
        await tx.$executeRaw`UPDATE event SET seq = input.seq
          FROM unnest(${ids}::uuid[], ${seqs}::bigint[]) AS input (id, seq) WHERE event.id = input.id`;
        await ledger.enqueue(tx, deliverWebhooks, { endpointId }, { requestId: null });
        await tx.webhookDelivery.createMany({
          data: ids.map((eventId, index) => ({
            ...{ id: newId(), accountId, endpointId, eventId, nextAttemptAt: new Date(0) },
            sequence: first + BigInt(index),
          })),
        });
        return ids;
      }),
    async makeDue({ id: endpointId }) {
      await transaction(db, async (tx) => {
        await tx.webhookEndpoint.update({
          where: { id: endpointId },
          data: { pausedUntil: null },
        });
        await ledger.enqueue(tx, deliverWebhooks, { endpointId }, { requestId: null });
        await tx.webhookDelivery.updateMany({
          where: { endpointId, status: 'pending' },
          data: { nextAttemptAt: new Date(0) },
        });
      });
    },
    deliveryOf: (endpoint, eventId) => findDelivery(db, endpoint, eventId),
  };
}

function findDelivery(db: Database, { id: endpointId }: TestEndpoint, eventId: string) {
  return db.webhookDelivery.findFirstOrThrow({
    where: { endpointId, eventId },
    include: { history: { orderBy: { id: 'asc' } } },
  });
}

/** @throws when a request is not signed with the secret */
export function expectSigned(request: ReceivedRequest | undefined, secret: string): void {
  const header = (name: string) => String(request?.headers[name]);
  verifyWebhook(
    {
      id: header('webhook-id'),
      timestamp: header('webhook-timestamp'),
      signature: header('webhook-signature'),
      body: request?.body ?? '',
    },
    [secret],
  );
}

/** Resolves with the delivery once an attempt of it is written down. */
export async function attempted<D extends { history: readonly unknown[] }>(
  read: () => Promise<D>,
): Promise<D> {
  await until(async () => (await read()).history.length > 0, { what: 'an attempt' });
  // Read anew: the delivery and its history are two queries, and the attempt may have come between them.
  return read();
}
