import { findOrder } from '@gatehouse/db/orders';
import { insertResetRequest } from '@gatehouse/db/password-resets';
import { transaction } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import { orderView } from '@gatehouse/domain/order-view';
import { acceptTestOrder } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { cancelJob } from '../src/cancellation.ts';
import { CATALOGUE, type JobName } from '../src/catalogue.ts';
import { announcePasswordChange } from '../src/definitions/announce-password-change.ts';
import { requestPasswordReset } from '../src/definitions/request-password-reset.ts';
import {
  begunDeposit,
  begunReplay,
  broken,
  cancel,
  dueTask,
  endpointWithDeliveries,
  jobOf,
  orderOutside,
  oweReconciliation,
  queuedEmail,
  replayedEvent,
  restingOrder,
  type Scene,
  setUp,
  storedEvent,
  wishToCancel,
} from './cancellation-scene.ts';

/** For each job: makes what it is about, and tells how the debt shows on it. */
const SUBJECTS: Record<JobName, (scene: Scene) => Promise<() => Promise<unknown>>> = {
  'execute-trade': async (scene) => {
    const id = await acceptTestOrder(scene.db, scene.ledger, scene.accountId);
    return async () => {
      const order = await scene.db.order.findUniqueOrThrow({ where: { id } });
      return [order.status, order.canceledAt !== null, order.version];
    };
  },
  'cancel-trade': async (scene) => {
    const id = await restingOrder(scene);
    await wishToCancel(scene, id);
    return async () => {
      const order = await scene.db.order.findUniqueOrThrow({ where: { id } });
      return [order.status, order.cancelRequestedAt !== null, order.version];
    };
  },
  // The order is over. While it is open the job is refused: cancellation-refusals.test.ts.
  'reconcile-trade': async (scene) => {
    const orderId = await orderOutside(scene, 'canceled');
    await oweReconciliation(scene, orderId);
    return async () => scene.db.order.findUniqueOrThrow({ where: { id: orderId } });
  },
  // The gateway has finished it. While it is being made the job is refused: cancellation-refusals.test.ts.
  'finish-deposit': async (scene) => {
    const id = await begunDeposit(scene, 'pending');
    return async () => (await scene.db.deposit.findUniqueOrThrow({ where: { id } })).status;
  },
  'process-stripe-event': async ({ db, ledger }) => {
    await storedEvent({ db, ledger });
    return async () => {
      const { status, outcome, processedAt } = await db.stripeEvent.findFirstOrThrow();
      return [status, outcome, processedAt !== null];
    };
  },
  'deliver-webhooks': async (scene) => {
    const endpointId = await endpointWithDeliveries(scene);
    return async () => {
      const rows = await scene.db.webhookDelivery.findMany({
        where: { endpointId },
        orderBy: { sequence: 'asc' },
      });
      return rows.map((row) => [row.status, row.endedAt !== null]);
    };
  },
  'replay-webhooks': async (scene) => {
    const id = await begunReplay(scene);
    return async () => {
      const { status, endedAt } = await scene.db.webhookReplay.findUniqueOrThrow({ where: { id } });
      return [status, endedAt !== null];
    };
  },
  'send-email': async (scene) => {
    const id = await queuedEmail(scene);
    return async () => (await scene.db.email.findUniqueOrThrow({ where: { id } })).status;
  },
  'remind-task': async (scene) => {
    const { id } = await dueTask(scene);
    return async () =>
      (await scene.db.task.findUniqueOrThrow({ where: { id } })).remindedAt !== null;
  },
  'request-password-reset': async ({ db, ledger }) => {
    const id = newId();
    await transaction(db, async (tx) => {
      await insertResetRequest(tx, { id, email: 'ada@example.test' });
      await ledger.enqueue(tx, requestPasswordReset, { resetRequestId: id }, { requestId: null });
    });
    return async () => db.passwordResetRequest.count();
  },
  // Nothing shows it: the password is changed already.
  'announce-password-change': async ({ db, ledger, accountId }) => {
    const user = await db.user.findUniqueOrThrow({ where: { accountId } });
    const payload = { userId: user.id, changedAt: '2026-11-20T08:00:00.000Z' };
    await transaction(db, (tx) =>
      ledger.enqueue(tx, announcePasswordChange, payload, { requestId: null }),
    );
    return async () => db.user.findUniqueOrThrow({ where: { accountId } });
  },
};

const EXPECTED: Record<JobName, { before: unknown; after: unknown }> = {
  'execute-trade': { before: ['accepted', false, 1], after: ['canceled', true, 2] },
  'cancel-trade': { before: ['submitted', true, 2], after: ['submitted', false, 3] },
  'reconcile-trade': {
    before: expect.objectContaining({ status: 'canceled', version: 1 }),
    after: expect.objectContaining({ status: 'canceled', version: 1 }),
  },
  'finish-deposit': { before: 'pending', after: 'pending' },
  'process-stripe-event': {
    before: ['received', null, false],
    after: ['ignored', 'canceled by an operator', true],
  },
  'deliver-webhooks': {
    before: [
      ['pending', false],
      ['succeeded', true],
      ['pending', false],
    ],
    after: [
      ['canceled', true],
      ['succeeded', true],
      ['canceled', true],
    ],
  },
  'replay-webhooks': { before: ['running', false], after: ['canceled', true] },
  'send-email': { before: 'queued', after: 'canceled' },
  'remind-task': { before: false, after: true },
  'request-password-reset': { before: 1, after: 0 },
  'announce-password-change': {
    before: expect.objectContaining({ deactivatedAt: null }),
    after: expect.objectContaining({ deactivatedAt: null }),
  },
};

const names = CATALOGUE.flatMap((definition) =>
  definition.kind === 'job' ? [definition.name] : [],
);

test.each(names)('a canceled %s leaves nobody owed anything', async (name) => {
  const scene = await setUp();
  const { db } = scene;
  const state = await SUBJECTS[name](scene);
  expect(await broken(db)).toEqual([]);
  expect(await state()).toEqual(EXPECTED[name].before);

  const job = await jobOf(db, name);
  await db.job.update({ where: { id: job.id }, data: { state: 'dispatched' } });
  const refused = await cancel(db, job.id);
  expect([refused?.refusal, refused?.job.state]).toEqual(['it is dispatched', 'dispatched']);
  expect(await state()).toEqual(EXPECTED[name].before);

  const dead = await db.job.update({ where: { id: job.id }, data: { state: 'dead' } });
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => cancel(db, job.id)));
  expect(outcomes.filter((outcome) => outcome !== null)).toEqual([{ job: dead, refusal: null }]);
  expect(await db.job.count()).toBe(0);
  expect(await state()).toEqual(EXPECTED[name].after);
  expect(await broken(db)).toEqual([]);
});

test.each([
  { status: 'processed', outcome: 'credited 100.00' },
  { status: 'refused', outcome: 'it is in eur, not in usd' },
  { status: 'ignored', outcome: null },
] as const)('a canceled replay leaves an event $status, as it was', async ({ status, outcome }) => {
  const { db, ledger } = await setUp();
  const id = await replayedEvent({ db, ledger }, { status, outcome });
  const job = await jobOf(db, 'process-stripe-event');
  expect((await cancel(db, job.id))?.refusal).toBeNull();
  const event = await db.stripeEvent.findUniqueOrThrow({ where: { id } });
  expect(event).toMatchObject({ status, outcome, processedAt: expect.any(Date) });
  expect(await broken(db)).toEqual([]);
});

test('an accepted order that is canceled is told so, as it is then', async () => {
  const { db, ledger, accountId } = await setUp();
  const orderId = await acceptTestOrder(db, ledger, accountId, {}, { requestId: 'of the client' });
  await cancel(db, (await jobOf(db, 'execute-trade')).id);
  const order = await findOrder(db, accountId, orderId);
  const told = await db.event.findMany({ where: { type: { not: 'order.accepted' } } });
  expect(told).toMatchObject([{ accountId, type: 'order.canceled', requestId: 'of the client' }]);
  expect(told[0]?.data).toEqual(order && orderView(order));
});

test('a cancelation that is rolled back leaves the debt and what it is about', async () => {
  const scene = await setUp();
  const state = await SUBJECTS['send-email'](scene);
  const { id } = await jobOf(scene.db, 'send-email');
  const failing = transaction(scene.db, async (tx) => {
    await cancelJob(tx, id);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect([await state(), await scene.db.job.count()]).toEqual(['queued', 1]);
});

test('an order that went on without its job, and a mail that was sent, stay as they are', async () => {
  const scene = await setUp();
  const { db } = scene;
  await acceptTestOrder(db, scene.ledger, scene.accountId, { limitPrice: '90' });
  await db.order.updateMany({
    data: { status: 'submitted', broker: 'paper', submittedAt: new Date() },
  });
  await queuedEmail(scene);
  await db.email.updateMany({ data: { status: 'sent', sentAt: new Date() } });
  const before = [await db.order.findMany(), await db.email.findMany()];
  for (const { id } of await db.job.findMany()) {
    expect(await cancel(db, id)).toMatchObject({ refusal: null });
  }
  expect([await db.order.findMany(), await db.email.findMany()]).toEqual(before);
});
