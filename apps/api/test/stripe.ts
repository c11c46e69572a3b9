import type { FakeStripe } from '@gatehouse/testing/stripe/fake';
import { startFakeStripe } from '@gatehouse/testing/stripe/fake-stripe';

export interface StripeStand {
  stripe: FakeStripe;
  /** With which a gateway uses it. */
  settings: { STRIPE_SECRET_KEY: string; STRIPE_API_URL: string };
}

/** A fake Stripe, until the test or the file ends. */
export async function startStripe(
  finally_: (cleanUp: () => Promise<void>) => void,
): Promise<StripeStand> {
  const stripe = await startFakeStripe();
  finally_(stripe.close);
  return {
    stripe,
    settings: { STRIPE_SECRET_KEY: stripe.apiKey, STRIPE_API_URL: stripe.url },
  };
}
