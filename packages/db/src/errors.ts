import { isDriverAdapterError } from '@prisma/driver-adapter-utils';
import { Prisma } from './generated/client.ts';

interface DriverCause {
  originalCode?: unknown;
  kind?: unknown;
  constraint?: unknown;
}

function driverCause(error: unknown): DriverCause | undefined {
  // What the COMMIT of a transaction fails with: Prisma hands it on as it is.
  if (error instanceof Error && isDriverAdapterError(error)) return error.cause;
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return undefined;
  const adapterError = error.meta?.driverAdapterError;
  if (typeof adapterError !== 'object' || adapterError === null || !('cause' in adapterError)) {
    return undefined;
  }
  const { cause } = adapterError;
  return typeof cause === 'object' && cause !== null ? cause : undefined;
}

/** Prisma's own code; empty for what is not an error of Prisma's. */
function codeOf(error: unknown): string {
  return error instanceof Prisma.PrismaClientKnownRequestError ? error.code : '';
}

/** Whether the error is a violation of a unique key, the primary key included. */
export function isUniqueViolation(error: unknown): boolean {
  return driverCause(error)?.kind === 'UniqueConstraintViolation';
}

/** Whether the error is a violation of this unique index, in a raw statement. */
export function violates(error: unknown, index: string): boolean {
  const constraint = driverCause(error)?.constraint;
  return (
    isUniqueViolation(error) &&
    typeof constraint === 'object' &&
    constraint !== null &&
    'index' in constraint &&
    constraint.index === index
  );
}

/** Whether two transactions waited for each other and this one was chosen to give way (SQLSTATE 40P01, 40001). */
export function isDeadlock(error: unknown): boolean {
  const cause = driverCause(error);
  return (
    codeOf(error) === 'P2034' ||
    cause?.kind === 'TransactionWriteConflict' ||
    cause?.originalCode === '40P01'
  );
}

/** Prisma's codes for a server that is not there, a connection that broke, a pool or a transaction that gave up. */
const UNAVAILABLE_CODES = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037']);

/** SQLSTATE classes of a server that is going away or refuses connections: 08, 53, 57P. */
const UNAVAILABLE_STATE = /^(08|53|57P)/;

const UNAVAILABLE_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
]);

/**
 * Whether the database could not be asked, or took the answer with it: nothing is known to be written. The
 * caller may try again with the same idempotency key.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  const cause = driverCause(error);
  return (
    isConnectionError(error) ||
    UNAVAILABLE_CODES.has(codeOf(error)) ||
    (typeof cause?.originalCode === 'string' && UNAVAILABLE_STATE.test(cause.originalCode)) ||
    (typeof cause?.kind === 'string' && UNAVAILABLE_KINDS.has(cause.kind))
  );
}

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return (
    (typeof code === 'string' &&
      (/^E(CONN|PIPE|TIMEDOUT)/.test(code) || UNAVAILABLE_STATE.test(code))) ||
    /^(Connection terminated|timeout exceeded when trying to connect)/.test(error.message)
  );
}
