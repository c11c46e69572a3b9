import { DEPOSIT_STATUSES } from '@gatehouse/domain/deposit';
import Type from 'typebox';
import { Body, Id, Nullable } from '../../schemas.ts';

/** As the view has it already. */
const Timestamp = Type.String({ format: 'date-time' });
const Currency = Type.Enum(['usd']);
const Cents = (description: string) => Type.Integer({ description, examples: [2500] });

export const NewDeposit = Body({
  amount: Type.Integer({
    minimum: 50,
    maximum: 99_999_999,
    description: 'In minor units (cents).',
    examples: [2500],
  }),
  currency: Currency,
});

const begun = {
  id: Id,
  status: Type.Enum([...DEPOSIT_STATUSES], {
    description:
      '`creating`: its payment is being set up. `failed`: a card was declined, another may still be tried.',
  }),
  amount: Cents('In minor units.'),
  currency: Type.String({ examples: ['usd'] }),
};

export const BegunDeposit = Type.Object({
  ...begun,
  clientSecret: Type.String({
    description: 'With it the payer pays, by the provider’s own form. Shown here only.',
  }),
  paymentIntentId: Type.String(),
});

export const Deposit = Type.Object({
  ...begun,
  paymentIntentId: Nullable(Type.String()),
  receivedAmount: Cents('What was paid.'),
  refundedAmount: Cents('What was paid back, without refunds that failed.'),
  disputedAmount: Cents('What the provider took back for disputes that are open or lost.'),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  succeededAt: Nullable(Timestamp),
});

export const DepositParams = Type.Object({ id: Id });
