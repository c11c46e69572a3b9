import type { Database } from '@gatehouse/db/client';
import { insertEvents } from '@gatehouse/db/events';
import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { createSecretBox } from '@gatehouse/domain/secret-box';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import { until } from '@gatehouse/testing/condition';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { type ReceivedRequest, type Receiver, startReceiver } from '@gatehouse/testing/receiver';
import { createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
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
  /** An endpoint of an account of its own, to which nothing happens; `owe` it something. */
  createEndpoint(path: string, changes?: EndpointChanges): Promise<TestEndpoint>;
  /** Owes an endpoint so many events, of one commit, and returns their ids in the order of their sequence. */
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
      await createTestEndpoint(db, accountId, {
        ...{ id, url, maxConcurrency: 10, sealedSecret: box.seal(secret, id) },
        ...(previous && {
          previousSealedSecret: box.seal(previous.secret, id),
          previousSecretExpiresAt: previous.until,
        }),
        ...changes,
      });
      return { id, accountId, email, secret };
    },
    async owe({ accountId }, count = 1) {
      const at = new Date();
      const events = Array.from({ length: count }, (_, index) => ({
        ...{ id: newId(), accountId, at, requestId: null, type: 'task.created' as const },
        data: { z: 'first', index, text: 'ä "quoted"' },
      }));
      await transaction(db, (tx) => insertEvents(tx, events));
      const ids = events.map(({ id }) => id);
      // A worker that runs may be about to publish them.
      await until(
        async () => {
          await publishTestEvents(db, ledger);
          return (await db.event.count({ where: { id: { in: ids }, seq: null } })) === 0;
        },
        { what: 'the events to be published' },
      );
      return ids;
    },
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
