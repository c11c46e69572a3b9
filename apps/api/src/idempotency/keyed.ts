import { randomUUID } from 'node:crypto';
import type { Database } from '@gatehouse/db/client';
import {
  deleteExpiredRecord,
  findRecord,
  type IdempotencyRecord,
  insertRecord,
  isKeyTaken,
  RECORD_LIFETIME_MS,
} from '@gatehouse/db/idempotency-records';
import { transaction } from '@gatehouse/db/transaction';
import type { FastifyBaseLogger, FastifyError } from 'fastify';
import { IdempotencyKeyInUse, IdempotencyKeyReused } from '../errors.ts';
import type { Answer } from './answer.ts';
import type { Claim, Claims, KeyedRequest } from './claims.ts';
import type { Seal } from './seal.ts';

/** Errors of a business decision: they are the answer, stored and replayed. Others leave the key unused. */
const STORED_STATUSES: ReadonlySet<number> = new Set([404, 409, 410, 412, 422]);

const IN_USE = new IdempotencyKeyInUse().code;

export interface Keyed {
  db: Database;
  claims: Claims;
  log: FastifyBaseLogger;
  request: KeyedRequest;
  /** How answers are stored, in both tiers. */
  seal: Seal;
  /** The answer to a business error. */
  renderError(error: FastifyError): Answer;
}

export type ToRecord = (answer: Answer) => IdempotencyRecord;

/** Does what was asked for, and writes the record of its answer with it. */
export type Commit = (toRecord: ToRecord, request: KeyedRequest) => Promise<Answer>;

export interface KeyedAnswer {
  answer: Answer;
  replayed: boolean;
}

/** An answer that Postgres has, and for how many milliseconds still. */
interface DurableAnswer extends KeyedAnswer {
  lifetimeMs: number;
}

/**
 * Runs a keyed mutation: claims the key, has `commit` write effect and record in one transaction, publishes the
 * answer; or replays the answer that there is. docs/adr/0002-idempotency-in-two-tiers.md has the whole protocol.
 *
 * Redis decides fast, Postgres decides for good: `commit` fails on the record's primary key when the key was
 * answered before, whatever Redis remembers, and takes its effect with it.
 *
 * @throws {IdempotencyKeyReused} when the key belongs to another request
 * @throws {IdempotencyKeyInUse} while another attempt runs
 * @throws what `commit` throws, save business errors (see `STORED_STATUSES`), which are answers
 */
export async function runKeyed(keyed: Keyed, commit: Commit): Promise<KeyedAnswer> {
  const { request, claims, log, seal } = keyed;
  const token = randomUUID();
  const claim = await tryClaim(keyed, token);
  const known = claim && (await answerTo(claim, keyed));
  if (known) return known;
  // Redis is told also when the claim got no reply: it may stand, and would be in the way of the retry.
  const ignore = (err: unknown): void =>
    log.warn({ err }, 'Redis was not told of a key; Postgres knows');
  try {
    const unclaimed = claim === undefined ? await findStored(keyed) : null;
    const { lifetimeMs, ...result } = unclaimed ?? (await commitOnce(keyed, commit));
    // Not awaited: the answer is durable already, and Redis only makes the next replay cheap.
    claims.publish(request, token, seal.seal(result.answer), lifetimeMs).catch(ignore);
    return result;
  } catch (error) {
    // Awaited: the retry that follows this answer must not find its own claim.
    await claims.release(request, token).catch(ignore);
    throw error;
  }
}

/**
 * The answer that there is already; null when this attempt is to run.
 *
 * A claim without an answer is held against Postgres: who holds it may have committed, and not have told Redis yet,
 * or have died; and after a flush it may be of a request to which the key does not belong.
 */
async function answerTo(claim: Claim, keyed: Keyed): Promise<KeyedAnswer | null> {
  switch (claim.state) {
    case 'claimed':
      return null;
    case 'done':
      return { answer: keyed.seal.open(claim.answer), replayed: true };
    case 'reused':
      throw new IdempotencyKeyReused();
    case 'running':
    case 'contested': {
      const stored = await findStored(keyed);
      if (stored !== null) return stored;
      throw claim.state === 'running' ? new IdempotencyKeyInUse() : new IdempotencyKeyReused();
    }
  }
}

/** Undefined when Redis cannot say: then Postgres alone decides. */
async function tryClaim(
  { claims, request, log }: Keyed,
  token: string,
): Promise<Claim | undefined> {
  try {
    return await claims.claim(request, token);
  } catch (err) {
    log.warn({ err }, 'Redis cannot claim keys; Postgres decides');
    return undefined;
  }
}

async function commitOnce(keyed: Keyed, commit: Commit): Promise<DurableAnswer> {
  const { db, request, renderError, seal } = keyed;
  const toRecord: ToRecord = (answer) => ({ ...request, ...seal.seal(answer) });
  const attempt = async (): Promise<Answer> => {
    try {
      return await commit(toRecord, request);
    } catch (error) {
      if (!isBusinessError(error)) throw error;
      const answer = renderError(error);
      await transaction(db, (tx) => insertRecord(tx, toRecord(answer)));
      return answer;
    }
  };
  while (true) {
    try {
      return { answer: await attempt(), replayed: false, lifetimeMs: RECORD_LIFETIME_MS };
    } catch (error) {
      if (!isKeyTaken(error)) throw error;
      const stored = await findStored(keyed);
      if (stored !== null) return stored;
      // What took the key has outlived its day: the key is new. Another attempt may still be the first to use it.
      await deleteExpiredRecord(db, request.accountId, request.key);
    }
  }
}

/**
 * The answer in Postgres. None for what was only begun: the attempt goes on with it.
 *
 * @throws {IdempotencyKeyReused} when the record is of another request
 */
async function findStored({ db, request, seal }: Keyed): Promise<DurableAnswer | null> {
  const record = await findRecord(db, request.accountId, request.key);
  if (record === null) return null;
  if (!request.fingerprint.equals(record.fingerprint)) throw new IdempotencyKeyReused();
  const { status, headers, body, lifetimeMs, recoveryPoint } = record;
  if (recoveryPoint !== null) return null;
  return { answer: seal.open({ status, headers, body }), replayed: true, lifetimeMs };
}

function isBusinessError(error: unknown): error is FastifyError {
  return (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    STORED_STATUSES.has(error.statusCode) &&
    // By its code: a route has another instance of the class. It is about the attempt, and not its answer.
    !('code' in error && error.code === IN_USE)
  );
}
