import type { DepositState } from './deposit.ts';

/** A deposit as far as its view goes. */
export interface ViewableDeposit extends DepositState {
  readonly id: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly paymentIntentId: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly succeededAt: Date | null;
}

/**
 * A deposit as its owner sees it: what the API answers, and what the events of it carry. Amounts in minor units, times
 * in RFC 3339 with milliseconds.
 */
export function depositView(deposit: ViewableDeposit) {
  return {
    id: deposit.id,
    status: deposit.status,
    amount: deposit.amount,
    currency: deposit.currency,
    paymentIntentId: deposit.paymentIntentId,
    receivedAmount: deposit.receivedAmount,
    /** Without the refunds that failed. One that failed may be heard of before it was begun. */
    refundedAmount: Math.max(0, deposit.refundedAmount - deposit.failedRefundAmount),
    /** In disputes that are open or lost. */
    disputedAmount: deposit.disputes
      .filter(({ status }) => status !== 'won')
      .reduce((sum, { amount }) => sum + amount, 0),
    createdAt: deposit.createdAt.toISOString(),
    updatedAt: deposit.updatedAt.toISOString(),
    succeededAt: deposit.succeededAt?.toISOString() ?? null,
  };
}

export type DepositView = ReturnType<typeof depositView>;
