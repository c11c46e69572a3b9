import { lockEventLog } from '@gatehouse/db/event-log';
import { checkInvariants } from '@gatehouse/db/invariants';
import { transaction } from '@gatehouse/db/transaction';
import { deleteEndpoint } from '@gatehouse/db/webhook-endpoint-removal';
import { replayWebhooks } from '@gatehouse/jobs/definitions/replay-webhooks';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { expect, test } from 'vitest';
import { startWebhookStack } from './webhooks.ts';

test('what is pending at an endpoint that was deleted is canceled, however much, and nothing is sent', async () => {
  const { db, receiver, startWorker, allSettled } = await startWebhookStack();
  const { accountId } = await createTestAccount(db);
  const [deleted, disabled] = [
    await createTestEndpoint(db, accountId, { url: receiver.url('/a') }),
    await createTestEndpoint(db, accountId, { url: receiver.url('/a'), ordered: true }),
  ];
  await addTestEvents(db, accountId, Array<'task.due'>(2_500).fill('task.due'));
  const ledger = createIdleLedger();
  await publishTestEvents(db, ledger);
  const off = { disabledReason: 'owner', disabledAt: new Date() } as const;
  await db.webhookEndpoint.update({ where: { id: disabled }, data: off });
  await transaction(db, async (tx) => {
    const lastSeq = await lockEventLog(tx);
    for (const id of [deleted, disabled]) {
      const endpoint = await tx.webhookEndpoint.findUniqueOrThrow({ where: { id } });
      const occasion = { at: new Date(), requestId: null };
      await deleteEndpoint(tx, endpoint, replayWebhooks.name, lastSeq, occasion);
    }
  });
  // The log is held for as long: what is pending waits for the jobs.
  expect(await db.webhookDelivery.count({ where: { status: 'pending' } })).toBe(5_000);
  expect((await checkInvariants(db)).flatMap(({ violations }) => violations)).toEqual([]);
  await startWorker();
  await allSettled();
  const endpointId = { in: [deleted, disabled] };
  expect(await db.webhookDelivery.count({ where: { endpointId, status: 'canceled' } })).toBe(5_000);
  expect(await db.webhookDelivery.count({ where: { status: 'pending' } })).toBe(0);
  expect(receiver.received('/a')).toEqual([]);
  expect((await checkInvariants(db)).flatMap(({ violations }) => violations)).toEqual([]);
});
