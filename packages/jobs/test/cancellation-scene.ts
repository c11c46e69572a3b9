import type { Database } from '@gatehouse/db/client';
import { applyDepositFacts } from '@gatehouse/db/deposit-facts';
import { insertDeposit } from '@gatehouse/db/deposits';
import { insertEmails } from '@gatehouse/db/emails';
import { checkInvariants } from '@gatehouse/db/invariants';
import { requestCancel } from '@gatehouse/db/orders';
import { type EndedStripeEvent, settleStripeEvents } from '@gatehouse/db/stripe-event-ends';
import { acceptStripeEvents } from '@gatehouse/db/stripe-events';
import { createTask } from '@gatehouse/db/tasks';
import { transaction } from '@gatehouse/db/transaction';
import { beginReplay, measureWindow } from '@gatehouse/db/webhook-replays';
import { newId } from '@gatehouse/domain/id';
import type { OrderStatus } from '@gatehouse/domain/order';
import { testDatabase } from '@gatehouse/testing/database';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { onTestFinished } from 'vitest';
import { cancelJob } from '../src/cancellation.ts';
import type { JobName } from '../src/catalogue.ts';
import { cancelTrade } from '../src/definitions/cancel-trade.ts';
import { finishDeposit } from '../src/definitions/finish-deposit.ts';
import { processStripeEvent } from '../src/definitions/process-stripe-event.ts';
import { reconcileTrade } from '../src/definitions/reconcile-trade.ts';
import { remindTask } from '../src/definitions/remind-task.ts';
import { replayWebhooks } from '../src/definitions/replay-webhooks.ts';
import { sendEmail } from '../src/definitions/send-email.ts';
import type { JobLedger } from '../src/ledger.ts';

/** An account whose jobs are owed, and handed over to nobody. */
export interface Scene {
  db: Database;
  ledger: JobLedger;
  accountId: string;
}

export async function setUp(): Promise<Scene> {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  // Nothing is handed over: what is about to be canceled is in the ledger only.
  const ledger = createIdleLedger();
  const { accountId } = await createTestAccount(db);
  return { db, ledger, accountId };
}

export async function broken(db: Database): Promise<string[]> {
  const results = await checkInvariants(db);
  return results.flatMap(({ violations }) => violations);
}

export const cancel = (db: Database, id: string) => transaction(db, (tx) => cancelJob(tx, id));

export async function jobOf(db: Database, name: JobName) {
  return db.job.findFirstOrThrow({ where: { name }, orderBy: { id: 'asc' } });
}

export async function wishToCancel(
  { db, ledger, accountId }: Scene,
  orderId: string,
): Promise<void> {
  await transaction(db, async (tx) => {
    await requestCancel(tx, accountId, orderId, new Date());
    await ledger.enqueue(tx, cancelTrade, { orderId, accountId }, { requestId: null });
  });
}

export async function restingOrder({ db, ledger, accountId }: Scene): Promise<string> {
  const orderId = await acceptTestOrder(db, ledger, accountId, { limitPrice: '90' });
  await db.job.deleteMany();
  await db.order.update({
    where: { id: orderId },
    data: { status: 'submitted', broker: 'paper', submittedAt: new Date() },
  });
  return orderId;
}

/** An order at a broker outside, owed nothing yet. */
export async function orderOutside(
  { db, ledger, accountId }: Scene,
  status: OrderStatus,
): Promise<string> {
  const orderId = await acceptTestOrder(db, ledger, accountId, { limitPrice: '90' });
  await db.job.deleteMany();
  await db.order.update({
    where: { id: orderId },
    data: { status, broker: 'alpaca', ...(status === 'canceled' && { canceledAt: new Date() }) },
  });
  return orderId;
}

export async function oweReconciliation(
  { db, ledger, accountId }: Scene,
  orderId: string,
): Promise<void> {
  await transaction(db, (tx) =>
    ledger.enqueue(tx, reconcileTrade, { orderId, accountId }, { requestId: null }),
  );
}

export async function dueTask({ db, ledger, accountId }: Scene) {
  return transaction(db, async (tx) => {
    const dueAt = new Date();
    const task = await createTask(tx, accountId, {
      title: 'File taxes',
      description: null,
      status: 'TODO',
      priority: 0,
      dueAt,
    });
    await ledger.enqueue(tx, remindTask, { taskId: task.id }, { requestId: null, runAt: dueAt });
    return task;
  });
}

export async function queuedEmail({ db, ledger, accountId }: Scene): Promise<string> {
  const id = newId();
  await transaction(db, async (tx) => {
    const data = { taskId: id, title: 'x', dueAt: '2026-11-20T08:00:00.000Z' };
    const recipient = 'ada@example.test';
    await insertEmails(tx, [{ id, accountId, recipient, template: 'task-reminder', data }]);
    await ledger.enqueue(tx, sendEmail, { emailId: id }, { requestId: null });
  });
  return id;
}

/** The id of an event from Stripe that is owed its job. */
export async function storedEvent({ db, ledger }: Pick<Scene, 'db' | 'ledger'>): Promise<string> {
  const id = newId();
  const event = { id, eventId: 'evt_1', type: 'charge.refunded', payload: '{}' };
  const job = ledger.plan(processStripeEvent, { stripeEventId: id }, { requestId: null });
  const stored = { ...event, livemode: false, source: 'webhook' } as const;
  await acceptStripeEvents(db, [{ event: stored, job }]);
  return id;
}

/** The id of one that ended so, and is to be processed again. */
export async function replayedEvent(
  { db, ledger }: Pick<Scene, 'db' | 'ledger'>,
  end: Omit<EndedStripeEvent, 'id'>,
): Promise<string> {
  const id = await storedEvent({ db, ledger });
  await db.job.deleteMany();
  await transaction(db, async (tx) => {
    await settleStripeEvents(tx, [{ id, ...end }]);
    const payload = { stripeEventId: id };
    await ledger.enqueue(tx, processStripeEvent, payload, { requestId: null });
  });
  return id;
}

/** The id of a deposit that is owed its end. */
export async function begunDeposit(
  { db, ledger, accountId }: Scene,
  status: 'creating' | 'pending',
): Promise<string> {
  const id = newId();
  await transaction(db, async (tx) => {
    const deposit = await insertDeposit(tx, { id, accountId, amount: 2500, currency: 'usd' });
    await ledger.enqueue(tx, finishDeposit, { depositId: id, accountId }, { requestId: null });
    if (status === 'creating') return;
    const hearing = { paymentIntentId: 'pi_1', at: new Date(), requestId: null };
    await applyDepositFacts(tx, deposit, { status }, hearing);
  });
  return id;
}

/** The id of an endpoint that is owed two deliveries, one of which has been sent. */
export async function endpointWithDeliveries({ db, ledger, accountId }: Scene): Promise<string> {
  const endpointId = await createTestEndpoint(db, accountId);
  await addTestEvents(db, accountId, ['order.filled', 'order.filled', 'task.due']);
  await publishTestEvents(db, ledger);
  const data = { status: 'succeeded', nextAttemptAt: null, endedAt: new Date() } as const;
  const sent = await db.webhookDelivery.findFirstOrThrow({ where: { endpointId, sequence: 2 } });
  await db.webhookAttempt.create({
    data: { deliveryId: sent.id, id: newId(), at: new Date(), statusCode: 204, durationMs: 1 },
  });
  await db.webhookDelivery.update({ where: { id: sent.id }, data });
  return endpointId;
}

/** The id of a replay that has come nowhere yet. */
export async function begunReplay({ db, ledger, accountId }: Scene): Promise<string> {
  const endpointId = await createTestEndpoint(db, accountId);
  const id = newId();
  await transaction(db, async (tx) => {
    const window = { accountId, since: new Date(0), until: new Date() };
    const wish = { ...window, id, endpointId, onlyFailed: false, requestId: null };
    await beginReplay(tx, wish, await measureWindow(tx, window));
    await ledger.enqueue(tx, replayWebhooks, { replayId: id }, { requestId: null });
  });
  return id;
}
