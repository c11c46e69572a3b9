import { applyDepositFacts } from '@gatehouse/db/deposit-facts';
import {
  findDeposit,
  insertDeposit,
  lockDeposit,
  mayCreatePayment,
  type StoredDeposit,
} from '@gatehouse/db/deposits';
import { beginRecord, insertRecord } from '@gatehouse/db/idempotency-records';
import { withdrawJobs } from '@gatehouse/db/jobs';
import { newId } from '@gatehouse/domain/id';
import { finishDeposit } from '@gatehouse/jobs/definitions/finish-deposit';
import type { PaymentReading, Payments } from '@gatehouse/payments/payments';
import type { FastifyInstance } from 'fastify';
import { DepositRefused, PaymentsNotConfigured } from '../../errors.ts';
import type { Answer } from '../../idempotency/answer.ts';
import type { KeyedRequest } from '../../idempotency/claims.ts';
import type { ToRecord } from '../../idempotency/keyed.ts';
import { isAbsence, isRefusal, toProblem } from './failures.ts';

/** Milliseconds after which a worker finishes what a gateway has begun: longer than that may take. */
const FINISH_AFTER_MS = 60_000;

/** What is asked for, and under which key. */
export interface DepositTerms {
  /** Minor units. */
  amount: number;
  currency: string;
  keyed: KeyedRequest;
  requestId: string;
}

export interface PlacedDeposit {
  deposit: StoredDeposit;
  payment: PaymentReading;
}

/**
 * Begins a deposit, has its payment made, and writes both down with the answer: two transactions, with the payment
 * provider in between. Whoever dies on the way leaves a deposit under its key, and the retry goes on from there; so does
 * the job that is owed from the first transaction on, when nobody retries.
 *
 * @throws {PaymentsNotConfigured} without a payment provider, {PaymentsUnavailable} when it cannot be asked now
 * @throws {IdempotencyKeyInUse} when it is being asked for the same, {DepositRefused} when it will not have it
 * @throws what is nobody's business but ours: of the database, or of books that contradict what the provider says
 */
export async function placeDeposit(
  app: FastifyInstance,
  terms: DepositTerms,
  toRecord: ToRecord,
  toAnswer: (placed: PlacedDeposit) => Answer,
): Promise<Answer> {
  const { payments } = app;
  const { requestId } = terms;
  if (payments === null) {
    app.log.warn({ requestId }, 'a deposit was asked for, and STRIPE_SECRET_KEY is not set');
    throw new PaymentsNotConfigured();
  }
  const begun = await begin(app, terms);
  const payment = await payFor(app, payments, begun, requestId);
  return app.transaction(async (tx) => {
    // Before the deposit is locked, in the order in which the job itself does it.
    await withdrawJobs(tx, finishDeposit.name, begun.id);
    const deposit = await lockDeposit(tx, { id: begun.id });
    if (deposit === null) throw new Error(`there is no deposit ${begun.id} any more`);
    const { paymentIntentId } = payment;
    const hearing = { paymentIntentId, at: new Date(), requestId };
    const heard = await applyDepositFacts(tx, deposit, { status: 'pending' }, hearing);
    const answer = toAnswer({ deposit: heard.deposit, payment });
    await insertRecord(tx, toRecord(answer));
    return answer;
  });
}

/** The deposit that the key has begun, or a new one with the job that will finish it should nobody else. */
function begin(
  app: FastifyInstance,
  { amount, currency, keyed, requestId }: DepositTerms,
): Promise<StoredDeposit> {
  const { accountId } = keyed;
  return app.transaction(async (tx) => {
    const id = await beginRecord(tx, keyed, newId());
    const begun = await findDeposit(tx, accountId, id);
    if (begun !== null) return begun;
    const payload = { depositId: id, accountId };
    await app.jobs.enqueue(tx, finishDeposit, payload, { requestId, delayMs: FINISH_AFTER_MS });
    return insertDeposit(tx, { id, accountId, amount, currency });
  });
}

/** Asks for the payment; the same one however often it is asked for. */
async function payFor(
  app: FastifyInstance,
  payments: Payments,
  deposit: StoredDeposit,
  requestId: string,
): Promise<PaymentReading> {
  // Nobody else would have the answer, so that it is worth having also when this client is gone.
  const { signal } = new AbortController();
  const { id, accountId, amount, currency, paymentIntentId } = deposit;
  if (paymentIntentId === null && !(await mayBePaid(app, deposit))) {
    return refuse(app, deposit, requestId);
  }
  try {
    if (paymentIntentId === null) {
      return await payments.create({ depositId: id, accountId, amount, currency }, signal);
    }
    const payment = await payments.read({ type: 'payment_intent', id: paymentIntentId }, signal);
    if (payment === null) throw new Error(`Stripe does not know ${paymentIntentId} any more`);
    return payment;
  } catch (error) {
    const isRefused = paymentIntentId === null && isRefusal(error);
    if (!isRefused && !isAbsence(error)) throw error;
    const reason = error.message;
    app.log.warn({ reason, requestId, depositId: id }, 'a deposit could not get its payment');
    if (isRefused) return refuse(app, deposit, requestId);
    throw toProblem(error);
  }
}

async function mayBePaid({ db }: FastifyInstance, deposit: StoredDeposit): Promise<boolean> {
  return deposit.status === 'creating' && (await mayCreatePayment(db, deposit.id));
}

/**
 * Has the deposit canceled, before the answer is stored: whoever dies in between leaves one that is refused again.
 *
 * @throws {DepositRefused}
 */
async function refuse(
  app: FastifyInstance,
  { id }: StoredDeposit,
  requestId: string,
): Promise<never> {
  await app.transaction(async (tx) => {
    const deposit = await lockDeposit(tx, { id });
    if (deposit?.status !== 'creating') return;
    await applyDepositFacts(tx, deposit, { status: 'canceled' }, { at: new Date(), requestId });
  });
  throw new DepositRefused();
}
