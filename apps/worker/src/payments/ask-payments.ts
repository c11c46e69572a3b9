import { type Payments, PaymentsUnavailable } from '@gatehouse/payments/payments';
import { NotYet } from '../not-yet.ts';

/** Milliseconds until it is worth another look whether this worker, or another, has a key. */
export const NO_KEY_RETRY_MS = 10_000;

/** Asks the payment provider for something. @throws {NotYet} when it is away, or this worker has no key for it */
export async function askPayments<T>(
  payments: Payments | null,
  ask: (payments: Payments) => Promise<T>,
): Promise<T> {
  if (payments === null) throw new NotYet('STRIPE_SECRET_KEY is not set', NO_KEY_RETRY_MS);
  try {
    return await ask(payments);
  } catch (error) {
    if (!(error instanceof PaymentsUnavailable)) throw error;
    // Its own cause: the message is said once.
    throw new NotYet(error.message, error.retryInMs, { cause: error.cause });
  }
}
