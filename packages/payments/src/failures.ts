import Stripe from 'stripe';
import { PaymentsRefused, PaymentsUnavailable, PaymentUnreadable } from './payments.ts';

/** When nobody says how long to wait. */
export const RETRY_MS = 2_000;
/** Until an operator may have mended what he has to. */
export const MISTAKE_RETRY_MS = 60_000;
/** A header that asks for more is a mistake, or as good as one. */
const MOST_MS = 3_600_000;

/** Whoever asked did not wait for the answer. It says nothing about Stripe. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

/** Stripe was silent for too long. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Whether it is we who do not take what Stripe has answered in order. */
export function isAnswered(error: unknown): boolean {
  return error instanceof PaymentsRefused || error instanceof PaymentUnreadable;
}

/**
 * Whether an error says that Stripe is in trouble, or that we have no business there: what it answers in order, a
 * refusal even, does not.
 */
export function isTrouble(error: unknown): boolean {
  if (error instanceof GivenUp || isAnswered(error)) return false;
  const status = statusOf(error);
  return status === null || status >= 500 || isMistake(error);
}

/** Whether only an operator can mend it: a key that is bad, or may not do that, and a wrong address. */
function isMistake(error: unknown): boolean {
  const status = statusOf(error);
  return status === 401 || status === 403 || (status === 404 && !isMissing(error));
}

/**
 * What a failed request comes to. Refused is only what Stripe refuses for what it is: a key that is bad, a wrong address
 * and proxies are mistakes of operators, and no reason to give a deposit up.
 *
 * Only what nobody foresaw has its cause with it. The others say all themselves, and an error of the library may hold a
 * payment with its client secret, which is not for logs.
 */
export function toFailure(error: unknown): Error {
  if (error instanceof Error && isAnswered(error)) return error;
  const status = statusOf(error);
  const retryInMs = retryAfterMs(error) ?? (isMistake(error) ? MISTAKE_RETRY_MS : RETRY_MS);
  const more = isForeseen(error) ? {} : { cause: error };
  if (status === null || !(error instanceof Stripe.errors.StripeError)) {
    return new PaymentsUnavailable(`Stripe did not answer: ${messageOf(error)}`, retryInMs, more);
  }
  const { code = null } = error;
  switch (status) {
    case 401:
    case 403:
      return new PaymentsUnavailable(
        `Stripe does not accept STRIPE_SECRET_KEY (${status})`,
        retryInMs,
        more,
      );
    case 404:
      return new PaymentsUnavailable('Stripe knows nothing like that (404)', retryInMs, more);
    case 409:
      return new PaymentsUnavailable('Stripe is doing the same for another (409)', retryInMs, {
        ...more,
        isInUse: code === 'idempotency_key_in_use',
      });
    case 429:
      return new PaymentsUnavailable('Stripe has too much to do (429)', retryInMs, more);
    default:
      return status >= 400 && status < 500
        ? new PaymentsRefused(`Stripe refused: ${error.message}`, code, more)
        : new PaymentsUnavailable(`Stripe answered ${status}`, retryInMs, more);
  }
}

/** Whether Stripe says that there is no such thing. An unknown path is answered 404 as well, without a code. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && error instanceof Stripe.errors.StripeError
    ? error.code === 'resource_missing'
    : false;
}

function isForeseen(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeError ||
    error instanceof GivenUp ||
    error instanceof NoAnswer
  );
}

/** The status of an answer in Stripe's words; null without one. */
function statusOf(error: unknown): number | null {
  return error instanceof Stripe.errors.StripeError ? (error.statusCode ?? null) : null;
}

function retryAfterMs(error: unknown): number | null {
  if (!(error instanceof Stripe.errors.StripeError)) return null;
  const seconds = Number(error.headers?.['retry-after'] ?? Number.NaN);
  return Number.isNaN(seconds) ? null : Math.min(Math.max(seconds * 1_000, 1_000), MOST_MS);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
