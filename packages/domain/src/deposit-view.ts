import Type, { type Static } from 'typebox';
import { DEPOSIT_STATUSES, type DepositState } from './deposit.ts';
import { Id, Nullable, Time } from './shapes.ts';

const Cents = (description: string) => Type.Integer({ description, examples: [2500] });

/** What there is of a deposit from its beginning. */
export const BEGUN_DEPOSIT = {
  id: Id,
  status: Type.Enum([...DEPOSIT_STATUSES], {
    description:
      '`creating`: its payment is being set up. `failed`: a card was declined, another may still be tried.',
  }),
  amount: Cents('In minor units.'),
  currency: Type.String({ examples: ['usd'] }),
};

export const DepositSchema = Type.Object({
  ...BEGUN_DEPOSIT,
  paymentIntentId: Nullable(Type.String()),
  receivedAmount: Cents('What was paid.'),
  refundedAmount: Cents('What was paid back, without refunds that failed.'),
  disputedAmount: Cents('What the provider took back for disputes that are open or lost.'),
  createdAt: Time,
  updatedAt: Time,
  succeededAt: Nullable(Time),
});

export type DepositView = Static<typeof DepositSchema>;

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
export function depositView(deposit: ViewableDeposit): DepositView {
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
