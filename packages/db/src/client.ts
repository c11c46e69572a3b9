import { PrismaPg } from '@prisma/adapter-pg';
import { type Prisma, PrismaClient } from './generated/client.ts';
import { impatientSocket } from './silence.ts';

export type Database = PrismaClient;
export type Transaction = Prisma.TransactionClient;
/** What a repository function takes when it is at home inside a transaction and outside of one. */
export type Queryable = Database | Transaction;

export interface DatabaseOptions {
  /** Connections of this process at most. */
  connections?: number;
  /**
   * Milliseconds for which the server may leave a statement unanswered, 10,000 unless given: then the connection is
   * given up, and what was under way on it fails as when the database is away. More for statements that take longer.
   */
  silenceMs?: number;
}

const SILENCE_MS = 10_000;
const IDLE_MS = 10_000;

/**
 * A Prisma client on the given PostgreSQL database. It connects at the first query; `$disconnect()` ends it.
 *
 * A pooler in transaction mode may stand in between: no prepared statement outlives a query.
 */
export function createDatabase(
  url: string,
  { connections = 10, silenceMs = SILENCE_MS }: DatabaseOptions = {},
): Database {
  const adapter = new PrismaPg({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 5_000,
    // By the time that the first statement is given up, no connection from before is left in the pool to try next: also none
    // that was used after that statement was sent, as one is that waits for a lock.
    idleTimeoutMillis: Math.min(IDLE_MS, silenceMs / 2),
    stream: () => impatientSocket(silenceMs),
  });
  return new PrismaClient({ adapter, transactionOptions: { maxWait: 5_000, timeout: 15_000 } });
}

/** @throws when the database does not answer. */
export async function ping(db: Database): Promise<void> {
  await db.$queryRaw`SELECT 1`;
}
