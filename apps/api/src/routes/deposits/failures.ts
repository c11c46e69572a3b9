import { IdempotencyKeyInUse, PaymentsUnavailable } from '../../errors.ts';

// By their names: routes and plugins may have different instances of a class.

/** Whether the payment provider will not have a payment, however often it is asked. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'PaymentsRefused';
}

/** Whether the payment provider could not be asked now. */
export function isAbsence(error: unknown): error is Error {
  return error instanceof Error && error.name === 'PaymentsUnavailable';
}

/** What a client is told when his payment could not be made, or not be read, now. */
export function toProblem(absence: Error): Error {
  const isInUse = 'isInUse' in absence && absence.isInUse === true;
  return isInUse ? new IdempotencyKeyInUse() : new PaymentsUnavailable();
}
