import { ZERO } from '../src/decimal.ts';
import {
  type DepositFacts,
  type DepositState,
  type Movement,
  mergeFacts,
  owedMovements,
} from '../src/deposit.ts';
import { type Funds, postMovement } from '../src/deposit-entries.ts';
import { assertBalanced, type LedgerName } from '../src/ledger.ts';
import { cents } from './scaled.ts';

/** Nothing is known. */
export const UNKNOWN: DepositState = {
  status: 'creating',
  receivedAmount: 0,
  refundedAmount: 0,
  failedRefundAmount: 0,
  disputes: [],
};

/** What one hearing has changed and moved. */
export interface Step {
  before: DepositState;
  state: DepositState;
  movements: readonly Movement[];
}

export interface Run {
  state: DepositState;
  posted: readonly Movement[];
  steps: readonly Step[];
  funds: Funds;
  /** Sums of all entries, in cents. */
  ledgers: Partial<Record<LedgerName, bigint>>;
}

/** Hears facts one at a time and posts what follows from each, as the product does it. @throws what must not be */
export function hearAll(heard: readonly DepositFacts[], start: Partial<Funds> = {}): Run {
  let state = UNKNOWN;
  let funds: Funds = { freeCash: ZERO, owed: ZERO, ...start };
  const posted: Movement[] = [];
  const steps: Step[] = [];
  const ledgers: Run['ledgers'] = {};
  for (const facts of heard) {
    const before = state;
    state = mergeFacts(state, facts);
    const movements = owedMovements(state, posted);
    steps.push({ before, state, movements });
    for (const movement of movements) {
      const { entries, funds: left } = postMovement(movement, funds);
      assertBalanced(entries);
      for (const { ledger, amount } of entries) {
        ledgers[ledger] = (ledgers[ledger] ?? 0n) + cents(amount);
      }
      if (left.freeCash.lessThan(ZERO) || left.owed.lessThan(ZERO)) throw new Error('overdrawn');
      funds = left;
      posted.push(movement);
    }
  }
  return { state, posted, steps, funds, ledgers };
}

/** What was posted in all, by kind and dispute. */
export function sums(posted: readonly Movement[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { kind, amount, disputeId } of posted) {
    const name = disputeId === null ? kind : `${kind} ${disputeId}`;
    sum[name] = (sum[name] ?? 0) + amount;
  }
  return sum;
}

/** Every order of the values. */
export function* permutations<T>(values: readonly T[]): Generator<readonly T[]> {
  if (values.length <= 1) {
    yield values;
    return;
  }
  for (const [index, value] of values.entries()) {
    for (const rest of permutations(values.toSpliced(index, 1))) yield [value, ...rest];
  }
}
