import type { DepositState } from '@gatehouse/domain/deposit';
import type { Deposit, DepositDispute } from './generated/client.ts';

/** A deposit with what is known of it. Amounts in minor units. */
export interface StoredDeposit extends DepositState {
  id: string;
  accountId: string;
  amount: number;
  /** In lower case. */
  currency: string;
  /** Null while nobody knows whether there is a payment at Stripe. */
  paymentIntentId: string | null;
  createdAt: Date;
  updatedAt: Date;
  succeededAt: Date | null;
}

export const WITH_DISPUTES = { include: { disputes: true } } as const;

export function toDeposit({
  disputes,
  ...row
}: Deposit & { disputes: DepositDispute[] }): StoredDeposit {
  return { ...row, disputes: disputes.map(({ id, amount, status }) => ({ id, amount, status })) };
}
