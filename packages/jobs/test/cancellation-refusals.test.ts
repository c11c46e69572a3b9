import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { expect, test } from 'vitest';
import { executeTrade } from '../src/definitions/execute-trade.ts';
import {
  begunDeposit,
  broken,
  cancel,
  dueTask,
  endpointWithDeliveries,
  jobOf,
  orderOutside,
  oweReconciliation,
  queuedEmail,
  setUp,
} from './cancellation-scene.ts';

test('a finish-deposit is not canceled while Stripe may know its deposit', async () => {
  const scene = await setUp();
  const id = await begunDeposit(scene, 'creating');
  const job = await jobOf(scene.db, 'finish-deposit');
  expect((await cancel(scene.db, job.id))?.refusal).toBe('Stripe may know its deposit');
  expect(await scene.db.job.count()).toBe(1);
  const { status } = await scene.db.deposit.findUniqueOrThrow({ where: { id } });
  expect(status).toBe('creating');
});

test('a job whose subject is gone can be canceled, one of an unknown name cannot, one that is gone is null', async () => {
  const scene = await setUp();
  const { db } = scene;
  const { id: taskId } = await dueTask(scene);
  await db.task.delete({ where: { id: taskId } });
  expect(await cancel(db, (await jobOf(db, 'remind-task')).id)).toMatchObject({ refusal: null });

  await queuedEmail(scene);
  const { id } = await jobOf(db, 'send-email');
  await db.job.update({ where: { id }, data: { name: 'newer-than-this' } });
  expect((await cancel(db, id))?.refusal).toBe('no job is named newer-than-this here');
  expect(await db.job.count()).toBe(1);
  expect(await cancel(db, newId())).toBeNull();
});

test.each(['submitted', 'partially_filled', 'unknown'] as const)(
  'nobody can forgive the look at an order that is %s at a broker outside',
  async (status) => {
    const scene = await setUp();
    const { db } = scene;
    await oweReconciliation(scene, await orderOutside(scene, status));
    const job = await jobOf(db, 'reconcile-trade');
    const dead = await db.job.update({ where: { id: job.id }, data: { state: 'dead' } });
    const order = await db.order.findFirstOrThrow();
    const outcome = await cancel(db, job.id);
    expect(outcome).toEqual({ job: dead, refusal: 'alpaca has its order, or may have it' });
    expect(await db.job.findMany()).toEqual([dead]);
    expect(await db.order.findMany()).toEqual([order]);
    expect(await broken(db)).toEqual([]);
  },
);

test('nobody can forgive the execution of an order that a broker outside may have', async () => {
  const scene = await setUp();
  const { db, ledger, accountId } = scene;
  const orderId = await orderOutside(scene, 'accepted');
  await transaction(db, (tx) =>
    ledger.enqueue(tx, executeTrade, { orderId, accountId }, { requestId: null }),
  );
  const job = await jobOf(db, 'execute-trade');
  const refused = await cancel(db, job.id);
  expect(refused).toEqual({ job, refusal: 'alpaca has its order, or may have it' });
  expect(await db.job.findMany()).toEqual([job]);
  expect(await db.order.findMany()).toMatchObject([{ status: 'accepted', canceledAt: null }]);

  // Before it is taken to one, nobody has it.
  await db.order.update({ where: { id: orderId }, data: { broker: null } });
  expect(await cancel(db, job.id)).toEqual({ job, refusal: null });
  expect(await db.order.findMany()).toMatchObject([{ status: 'canceled' }]);
  expect(await broken(db)).toEqual([]);
});

test('more deliveries than a transaction should touch are not forgiven, and none of them is', async () => {
  const scene = await setUp();
  const { db } = scene;
  const endpointId = await endpointWithDeliveries(scene);
  const { accountId } = scene;
  await db.$executeRaw`
    WITH log AS (UPDATE event_log SET last_seq = last_seq + 9999 RETURNING last_seq - 9999 AS seq), events AS (
      INSERT INTO event (id, account_id, type, data, seq)
      SELECT gen_random_uuid(), ${accountId}::uuid, 'task.due', '{}', log.seq + n FROM log, generate_series(1, 9999) n
      RETURNING id
    )
    INSERT INTO webhook_delivery (id, account_id, endpoint_id, event_id, sequence, next_attempt_at)
    SELECT gen_random_uuid(), ${accountId}::uuid, ${endpointId}::uuid, id, 3 + row_number() OVER (), now() FROM events`;
  const last = { lastSequence: 10_002 };
  await db.webhookEndpoint.update({ where: { id: endpointId }, data: last });
  const job = await jobOf(db, 'deliver-webhooks');
  const refused = await cancel(db, job.id);
  expect(refused?.refusal).toMatch('more than 10000 deliveries');
  const pending = { where: { status: 'pending' } } as const;
  expect([await db.job.count(), await db.webhookDelivery.count(pending)]).toEqual([1, 10_001]);
  const one = await db.webhookDelivery.findFirstOrThrow(pending);
  const ended = { status: 'failed', nextAttemptAt: null, endedAt: new Date() } as const;
  await db.webhookDelivery.update({ where: { id: one.id }, data: ended });
  expect((await cancel(db, job.id))?.refusal).toBeNull();
  expect([await db.job.count(), await db.webhookDelivery.count(pending)]).toEqual([0, 0]);
});
