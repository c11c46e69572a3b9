import Type, { type Static, type TObject } from 'typebox';

/** The settings of the payment provider, for the schema of each application to include. */
export const paymentSettings = {
  STRIPE_SECRET_KEY: Type.String({
    default: '',
    pattern: '^((sk|rk)_(test|live)_[\\x21-\\x7e]+)?$',
    description:
      'A secret or a restricted key: begins with sk_test_, rk_test_, sk_live_ or rk_live_.',
  }),
  STRIPE_API_URL: Type.String({
    default: 'https://api.stripe.com',
    pattern: '^https?://[^/?#@]+$',
  }),
};

export type PaymentSettings = Static<TObject<typeof paymentSettings>>;

/** Whether money is real. */
export type PaymentMode = 'live' | 'test';

/** The mode of the key; null without one. */
export function modeOf({ STRIPE_SECRET_KEY }: PaymentSettings): PaymentMode | null {
  if (STRIPE_SECRET_KEY === '') return null;
  return /^(sk|rk)_live_/.test(STRIPE_SECRET_KEY) ? 'live' : 'test';
}
