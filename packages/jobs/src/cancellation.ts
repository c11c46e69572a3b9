import type { Transaction } from '@gatehouse/db/client';
import { isOwedByAnother, lockJob, type StoredJob } from '@gatehouse/db/dead-letters';
import { lockDeposit } from '@gatehouse/db/deposits';
import { cancelEmail } from '@gatehouse/db/emails';
import { insertEvents } from '@gatehouse/db/events';
import { type Dispatch, settleJob } from '@gatehouse/db/jobs';
import { orderEvent } from '@gatehouse/db/order-events';
import { forgetCancel, lockOrders, saveOrders } from '@gatehouse/db/orders';
import { takeResetRequest } from '@gatehouse/db/password-resets';
import { ignoreStripeEvent } from '@gatehouse/db/stripe-event-ends';
import { lockTask, markReminded, readTask } from '@gatehouse/db/tasks';
import { cancelDeliveries, countPending } from '@gatehouse/db/webhook-deliveries';
import { endReplay } from '@gatehouse/db/webhook-replays';
import { isOpen, transition } from '@gatehouse/domain/order';
import { CATALOGUE, type JobName } from './catalogue.ts';
import { namesOf } from './definition.ts';
import { announcePasswordChange } from './definitions/announce-password-change.ts';
import { cancelTrade } from './definitions/cancel-trade.ts';
import { deliverWebhooks } from './definitions/deliver-webhooks.ts';
import { executeTrade } from './definitions/execute-trade.ts';
import { finishDeposit } from './definitions/finish-deposit.ts';
import { processStripeEvent } from './definitions/process-stripe-event.ts';
import { reconcileTrade } from './definitions/reconcile-trade.ts';
import { remindTask } from './definitions/remind-task.ts';
import { replayWebhooks } from './definitions/replay-webhooks.ts';
import { requestPasswordReset } from './definitions/request-password-reset.ts';
import { sendEmail } from './definitions/send-email.ts';

/** Deliveries that are given up in one transaction: that takes some tenths of a second. */
const MOST_DELIVERIES = 10_000;

/** Leaves what a job was about as something that is owed nothing; or says why the job stays owed, and does nothing. */
type Release = (tx: Transaction, job: StoredJob, at: Date) => Promise<string | null>;

/** A job that is not here does not compile: whoever adds one decides what its cancelation means. */
const RELEASES: Readonly<Record<JobName, Release>> = {
  // An order without a broker: nobody was asked to buy or sell yet. One that is further has left the job behind.
  [executeTrade.name]: async (tx, { subjectId, requestId }, at) => {
    const order = (await lockOrders(tx, [subjectId])).get(subjectId);
    if (order?.status !== 'accepted') return null;
    if (order.broker !== null) return atBroker(order.broker);
    const status = transition(order.status, 'canceled');
    const canceled = { ...order, status, canceledAt: at, version: order.version + 1 };
    await saveOrders(tx, [canceled], at);
    await insertEvents(tx, [orderEvent(canceled, { at, requestId })]);
    return null;
  },
  // The order goes on. Its owner may ask again.
  [cancelTrade.name]: async (tx, job, at) => {
    await lockOrders(tx, [job.subjectId]);
    if (!(await isOwedByAnother(tx, job))) await forgetCancel(tx, job.subjectId, at);
    return null;
  },
  // Only the broker knows what becomes of an order that it has, and nobody would ask it any more.
  [reconcileTrade.name]: async (tx, { subjectId }) => {
    const order = (await lockOrders(tx, [subjectId])).get(subjectId);
    return order?.broker && isOpen(order.status) ? atBroker(order.broker) : null;
  },
  // As if nobody handled its type. A replay leaves it as it was: it may have moved money. Both can be replayed.
  [processStripeEvent.name]: async (tx, { subjectId }) => {
    await ignoreStripeEvent(tx, subjectId, 'canceled by an operator');
    return null;
  },
  // Stripe may have its payment, and nobody would find out any more.
  [finishDeposit.name]: async (tx, { subjectId }) => {
    const deposit = await lockDeposit(tx, { id: subjectId });
    return deposit?.status === 'creating' ? 'Stripe may know its deposit' : null;
  },
  // What the endpoint has not been sent by now. Each can be sent again by a retry or a replay.
  [deliverWebhooks.name]: async (tx, { subjectId }) => {
    if ((await countPending(tx, subjectId, MOST_DELIVERIES + 1)) > MOST_DELIVERIES) {
      return `more than ${MOST_DELIVERIES} deliveries wait for it: they go when its endpoint is deleted, or after 30 days`;
    }
    await cancelDeliveries(tx, subjectId, MOST_DELIVERIES);
    return null;
  },
  [replayWebhooks.name]: async (tx, { subjectId }) => {
    await endReplay(tx, subjectId, 'canceled');
    return null;
  },
  [sendEmail.name]: async (tx, { subjectId }) => {
    await cancelEmail(tx, subjectId);
    return null;
  },
  // As if its owner had been reminded: a new due time is a new reason.
  [remindTask.name]: async (tx, job, at) => {
    const task = await readTask(tx, job.subjectId);
    if (task === null) return null;
    await lockTask(tx, task.accountId, task.id);
    if (!(await isOwedByAnother(tx, job))) await markReminded(tx, task.id, at);
    return null;
  },
  // Whoever asked may ask again.
  [requestPasswordReset.name]: async (tx, { subjectId }) => {
    await takeResetRequest(tx, subjectId);
    return null;
  },
  // The password stays as it is; its owner is not told.
  [announcePasswordChange.name]: async () => null,
};

const atBroker = (broker: string): string => `${broker} has its order, or may have it`;

/** By every name that a row may have. */
const releaseOf = new Map<string, Release>(
  CATALOGUE.flatMap((definition) =>
    definition.kind === 'job'
      ? namesOf(definition).map((name) => [name, RELEASES[definition.name]] as const)
      : [],
  ),
);

export interface Cancelation {
  /** As it was. */
  job: StoredJob;
  /** Why the job is still owed; null when it is canceled. */
  refusal: string | null;
}

/**
 * Forgives a debt: deletes a job that is dead or waiting, and leaves what it was about as something that is owed
 * nothing, in the caller's transaction. Null when there is no such job.
 *
 * A job that is dispatched is refused, since it may be running, and so is one of a name that this version does not
 * know, and one about an open order that a broker outside may have. A run that was given up for lost may still be
 * under way: it settles nothing any more, but a mail that it has in hand goes out.
 *
 * A dispatched job is canceled for a caller who takes this very dispatch out of Redis before the transaction ends:
 * then it is not running.
 */
export async function cancelJob(
  tx: Transaction,
  id: string,
  takenBack: Pick<Dispatch, 'generation'> | null = null,
): Promise<Cancelation | null> {
  const job = await lockJob(tx, id);
  if (job === null) return null;
  if (job.state === 'dispatched' && job.generation !== takenBack?.generation) {
    return { job, refusal: 'it is dispatched' };
  }
  const release = releaseOf.get(job.name);
  if (release === undefined) return { job, refusal: `no job is named ${job.name} here` };
  const refusal = await release(tx, job, new Date());
  if (refusal === null) await settleJob(tx, id);
  return { job, refusal };
}
