import type { Database } from '@gatehouse/db/client';
import { applyDepositFacts } from '@gatehouse/db/deposit-facts';
import {
  findDeposit,
  lockDeposit,
  mayCreatePayment,
  type StoredDeposit,
} from '@gatehouse/db/deposits';
import type { DepositFacts } from '@gatehouse/domain/deposit';
import { finishDeposit } from '@gatehouse/jobs/definitions/finish-deposit';
import { type Payments, PaymentsRefused } from '@gatehouse/payments/payments';
import { askPayments } from '../payments/ask-payments.ts';
import { type JobContext, type JobProcessor, processJob } from '../processor.ts';

export interface FinishDepositParts {
  db: Database;
  payments: Payments | null;
}

/** What there is to write down of a deposit whose gateway left it half made. */
interface Finding {
  facts: DepositFacts;
  paymentIntentId?: string;
}

/**
 * Finishes a deposit whose gateway died between the payment provider and the database, so that nobody is owed a payment
 * of which we know nothing. A gateway that lives withdraws the job with its answer.
 */
export function createFinishDeposit({ db, payments }: FinishDepositParts): JobProcessor {
  return processJob(finishDeposit, async ({ depositId, accountId }, context) => {
    const deposit = await findDeposit(db, accountId, depositId);
    if (deposit === null) throw new Error(`account ${accountId} has no deposit ${depositId}`);
    if (deposit.status !== 'creating') {
      await context.settle(async () => undefined);
      return;
    }
    const finding = await ask({ db, payments }, deposit, context);
    if (finding === null) return;
    const { facts, ...payment } = finding;
    await context.settle(async (tx) => {
      const locked = await lockDeposit(tx, { id: depositId });
      if (locked?.status !== 'creating') return;
      const hearing = { ...payment, at: new Date(), requestId: context.requestId };
      await applyDepositFacts(tx, locked, facts, hearing);
    });
  });
}

/** Null when this run is not the one that the job is owed. */
async function ask(
  { db, payments }: FinishDepositParts,
  deposit: StoredDeposit,
  { signal, log, isOwed }: JobContext,
): Promise<Finding | null> {
  const { id: depositId, accountId, amount, currency } = deposit;
  if (!(await mayCreatePayment(db, depositId))) return { facts: { status: 'canceled' } };
  if (!(await isOwed())) return null;
  try {
    const payment = await askPayments(payments, (provider) =>
      provider.create({ depositId, accountId, amount, currency }, signal),
    );
    return { facts: { status: 'pending' }, paymentIntentId: payment.paymentIntentId };
  } catch (error) {
    if (!(error instanceof PaymentsRefused)) throw error;
    log.warn({ err: error, depositId }, 'the payment provider does not take a deposit');
    return { facts: { status: 'canceled' } };
  }
}
