import type { Database } from '@gatehouse/db/client';
import { openDepositBooks } from '@gatehouse/db/deposit-books';
import { hearFacts } from '@gatehouse/db/deposit-changes';
import { isDatabaseUnavailable } from '@gatehouse/db/errors';
import { transaction } from '@gatehouse/db/transaction';
import {
  listUnsettledDeposits,
  stampAsked,
  type UnsettledDeposit,
} from '@gatehouse/db/unsettled-deposits';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import {
  type PaymentReading,
  type Payments,
  PaymentsRefused,
  PaymentUnreadable,
} from '@gatehouse/payments/payments';
import type { Logger } from 'pino';
import { NotYet } from '../not-yet.ts';
import { askPayments } from './ask-payments.ts';
import { writeDepositChanges } from './write-deposit-changes.ts';

/** Of one round: a question or three to Stripe for each. */
const MOST = 100;
/** Questions at once. */
const AT_ONCE = 4;

export interface MendDepositsParts {
  db: Database;
  ledger: JobLedger;
  payments: Payments;
  log: Logger;
}

/** What was done so far, also when a round fails in the middle. */
export interface MendedDeposits {
  depositsMended: number;
  /** Those whose payment Stripe does not know. */
  depositsUnknown: number;
  /** Those of whose payment Stripe says what we cannot read. */
  depositsUnreadable: number;
}

/**
 * Asks Stripe what became of deposits that may still be paid and were not heard of for a while, and applies what is new.
 * Counts in `mended`. One that fails for its own reasons keeps no other from its turn, in this round and the next ones.
 *
 * @throws the first failure: at once when Stripe or the database is away, and else after all had their turn
 */
export async function mendDeposits(
  parts: MendDepositsParts,
  mended: MendedDeposits,
  signal: AbortSignal,
): Promise<void> {
  const deposits = await listUnsettledDeposits(parts.db, MOST);
  const failures: unknown[] = [];
  for (let first = 0; first < deposits.length; first += AT_ONCE) {
    const turn = deposits.slice(first, first + AT_ONCE);
    const results = await Promise.allSettled(turn.map((one) => mend(parts, one, signal)));
    // What nobody could answer was not asked: it keeps its turn.
    const asked = turn.filter((_, index) => !isUnasked(results[index]));
    await stampAsked(
      parts.db,
      asked.map(({ id }) => id),
    );
    for (const result of results) {
      if (result.status === 'rejected') failures.push(result.reason);
      else if (result.value !== 'nothing new') mended[result.value] += 1;
    }
    if (signal.aborted || failures.some(isAway)) break;
  }
  signal.throwIfAborted();
  if (failures.length > 0) throw failures.find(isAway) ?? failures[0];
}

const isAway = (error: unknown): boolean => error instanceof NotYet || isDatabaseUnavailable(error);

function isUnasked(result: PromiseSettledResult<unknown> | undefined): boolean {
  return result?.status === 'rejected' && isAway(result.reason);
}

async function mend(
  { db, ledger, payments, log }: MendDepositsParts,
  { id: depositId, paymentIntentId: id }: UnsettledDeposit,
  signal: AbortSignal,
): Promise<keyof MendedDeposits | 'nothing new'> {
  try {
    const object = { type: 'payment_intent', id } as const;
    const reading = await askPayments(payments, (provider) => provider.read(object, signal));
    if (reading === null) return 'depositsUnknown';
    return (await apply({ db, ledger }, reading)) ? 'depositsMended' : 'nothing new';
  } catch (err) {
    if (!(err instanceof PaymentUnreadable || err instanceof PaymentsRefused)) throw err;
    log.warn({ err, depositId }, 'what Stripe says of a payment cannot be read');
    return 'depositsUnreadable';
  }
}

/** Whether there was news. */
async function apply(
  { db, ledger }: Pick<MendDepositsParts, 'db' | 'ledger'>,
  { paymentIntentId, facts }: PaymentReading,
): Promise<boolean> {
  return transaction(db, async (tx) => {
    const reference = { paymentIntentId, depositId: null };
    const books = await openDepositBooks(tx, [reference]);
    const deposit = books.find(reference);
    if (deposit === null) return false;
    const hearing = { paymentIntentId, at: new Date(), requestId: null };
    const change = hearFacts(deposit, facts, hearing);
    const heard = await writeDepositChanges(tx, ledger, books, [change]);
    return heard.some(({ movements, news }) => movements.length + news.length > 0);
  });
}
