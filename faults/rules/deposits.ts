import type { DepositFact, Facts } from '../facts.ts';
import type { PaymentFact } from '../stripe-hand.ts';
import { eachOnce } from './one-effect.ts';
import { type Finding, finding, type Rule } from './rule.ts';

/** Every deposit that a client was promised is there once, and no other is. */
export const depositsRule: Rule = (evidence) =>
  eachOnce(evidence, 'deposit', evidence.facts.deposits, ({ id }) => `deposit ${id}`);

/** Each has one payment at Stripe, and what that has moved is in the books, to the cent. */
export const moneyRule: Rule = ({ facts }) => {
  const payments = paymentsOf(facts);
  const known = new Set(facts.deposits.map(({ id }) => id));
  const foreign = facts.payments
    .filter(({ depositId }) => depositId === null || !known.has(depositId))
    .map(({ id }) => finding('unasked', `payment ${id} is of no deposit`));
  return [...facts.deposits.flatMap((one) => moneyOf(one, payments.get(one.id) ?? [])), ...foreign];
};

function moneyOf(deposit: DepositFact, payments: readonly PaymentFact[]): Finding[] {
  const [payment, ...others] = payments;
  const { id, posted, status } = deposit;
  if (payment === undefined) return [finding('lost', `deposit ${id} has no payment`)];
  if (others.length > 0) {
    return [finding('duplicated', `deposit ${id} has ${payments.length} payments`)];
  }
  const moved = payment.received - payment.refunded;
  if (posted !== moved) {
    const kind = posted < moved ? 'lost' : 'duplicated';
    return [finding(kind, `deposit ${id} has posted ${posted} of ${moved} cents`)];
  }
  return isSettled(deposit, payments) ? [] : [finding('lost', `deposit ${id} is ${status}`)];
}

/** Whether it says what its only payment does, in its status and in the books. */
export function isSettled(deposit: DepositFact, payments: readonly PaymentFact[]): boolean {
  const [payment, ...others] = payments;
  return (
    payment !== undefined &&
    others.length === 0 &&
    deposit.status === (payment.received > 0 ? 'succeeded' : 'pending') &&
    deposit.posted === payment.received - payment.refunded
  );
}

/** By the deposits that they were made for. */
export function paymentsOf({ payments }: Pick<Facts, 'payments'>) {
  return Map.groupBy(payments, ({ depositId }) => depositId ?? '');
}
