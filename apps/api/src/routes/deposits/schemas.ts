import { BEGUN_DEPOSIT } from '@gatehouse/domain/deposit-view';
import Type from 'typebox';
import { Body } from '../../schemas.ts';

const Currency = Type.Enum(['usd']);

export const NewDeposit = Body({
  amount: Type.Integer({
    minimum: 50,
    maximum: 99_999_999,
    description: 'In minor units (cents).',
    examples: [2500],
  }),
  currency: Currency,
});

export const BegunDeposit = Type.Object({
  ...BEGUN_DEPOSIT,
  clientSecret: Type.String({
    description: 'With it the payer pays, by the provider’s own form. Shown here only.',
  }),
  paymentIntentId: Type.String(),
});
