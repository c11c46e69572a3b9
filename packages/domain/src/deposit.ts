/**
 * What is known of a deposit, and what follows from it. Amounts are in minor units (cents).
 *
 * The payment provider tells things more than once, late and in any order. So what is known only ever grows: statuses
 * and amounts have an order, and hearing something means taking the higher of the two (a join semilattice: Shapiro et
 * al., "Conflict-free Replicated Data Types", 2011). Whoever has heard the same things knows the same, in whichever order
 * he heard them and however often: docs/adr/0013-deposits-know-only-more.md.
 */

/** From what is overruled by everything to what is overruled by nothing. `failed` is not the end: another card may do. */
export const DEPOSIT_STATUSES = ['creating', 'pending', 'failed', 'canceled', 'succeeded'] as const;
export type DepositStatus = (typeof DEPOSIT_STATUSES)[number];

/** `won` comes last: a dispute that was lost may still be reversed, and never the other way. */
export const DISPUTE_STATUSES = ['open', 'lost', 'won'] as const;
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number];

export interface Dispute {
  /** The provider's. */
  readonly id: string;
  readonly amount: number;
  readonly status: DisputeStatus;
}

export interface DepositState {
  readonly status: DepositStatus;
  readonly receivedAmount: number;
  /** Of all refunds that were begun. */
  readonly refundedAmount: number;
  /** Of those that failed: the payer's bank sent the money back. */
  readonly failedRefundAmount: number;
  readonly disputes: readonly Dispute[];
}

/** Something heard of a deposit. What is left out was not spoken of. */
export type DepositFacts = Partial<DepositState>;

/** What is known after hearing `facts`: commutative, associative, idempotent. */
export function mergeFacts(state: DepositState, facts: DepositFacts): DepositState {
  return {
    status: later(DEPOSIT_STATUSES, state.status, facts.status ?? state.status),
    receivedAmount: Math.max(state.receivedAmount, facts.receivedAmount ?? 0),
    refundedAmount: Math.max(state.refundedAmount, facts.refundedAmount ?? 0),
    failedRefundAmount: Math.max(state.failedRefundAmount, facts.failedRefundAmount ?? 0),
    disputes: mergeDisputes(state.disputes, facts.disputes ?? []),
  };
}

function mergeDisputes(known: readonly Dispute[], heard: readonly Dispute[]): readonly Dispute[] {
  const merged = new Map(known.map((dispute) => [dispute.id, dispute]));
  for (const dispute of heard) {
    const before = merged.get(dispute.id) ?? dispute;
    merged.set(dispute.id, {
      id: dispute.id,
      amount: Math.max(before.amount, dispute.amount),
      status: later(DISPUTE_STATUSES, before.status, dispute.status),
    });
  }
  return [...merged.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function later<T>(order: readonly T[], a: T, b: T): T {
  return order.indexOf(a) < order.indexOf(b) ? b : a;
}

/** `deposit`, `refund_reversal` and `dispute_reversal` bring money, `refund` and `dispute` take it. */
export const MOVEMENT_KINDS = [
  'deposit',
  'refund',
  'refund_reversal',
  'dispute',
  'dispute_reversal',
] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

/** Money that a deposit moves into the account or out of it. */
export interface Movement {
  readonly kind: MovementKind;
  /** Above zero. */
  readonly amount: number;
  /** Of the dispute that it is about. */
  readonly disputeId: string | null;
}

/**
 * What is still to be posted, in the order in which to post it, so that all that was posted adds up to what is known.
 *
 * Nothing can be taken back before it was received: a refund that is heard of before its payment waits for it.
 *
 * @throws when more was posted than is known, which nothing but a mistake of ours brings about
 */
export function owedMovements(
  state: DepositState,
  posted: readonly Movement[],
): readonly Movement[] {
  return totals(state).flatMap((total) => {
    const sum = posted
      .filter(({ kind, disputeId }) => kind === total.kind && disputeId === total.disputeId)
      .reduce((amount, movement) => amount + movement.amount, 0);
    if (sum > total.amount) {
      throw new Error(`${sum} were posted as ${total.kind}, and ${total.amount} are known`);
    }
    return sum === total.amount ? [] : [{ ...total, amount: total.amount - sum }];
  });
}

/** What must have been posted in all. */
function totals(state: DepositState): readonly Movement[] {
  const received = state.receivedAmount;
  if (received === 0) return [];
  const refunded = Math.min(state.refundedAmount, received + state.failedRefundAmount);
  const total = (kind: MovementKind, amount: number, disputeId: string | null = null) => ({
    kind,
    amount,
    disputeId,
  });
  return [
    total('deposit', received),
    total('refund', refunded),
    total('refund_reversal', Math.min(state.failedRefundAmount, refunded)),
    ...state.disputes.flatMap(({ id, amount, status }) => [
      total('dispute', amount, id),
      total('dispute_reversal', status === 'won' ? amount : 0, id),
    ]),
  ];
}
