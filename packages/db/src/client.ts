import { PrismaPg } from '@prisma/adapter-pg';
import { type Prisma, PrismaClient } from './generated/client.ts';

export type Database = PrismaClient;
export type Transaction = Prisma.TransactionClient;
/** What a repository function takes when it is at home inside a transaction and outside of one. */
export type Queryable = Database | Transaction;

export interface DatabaseOptions {
  /** Connections of this process at most. */
  connections?: number;
}

/**
 * A Prisma client on the given PostgreSQL database. It connects at the first query; `$disconnect()` ends it.
 *
 * A pooler in transaction mode may stand in between: no prepared statement outlives a query.
 */
export function createDatabase(url: string, { connections = 10 }: DatabaseOptions = {}): Database {
  const adapter = new PrismaPg({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  return new PrismaClient({ adapter, transactionOptions: { maxWait: 5_000, timeout: 15_000 } });
}

/** @throws when the database does not answer. */
export async function ping(db: Database): Promise<void> {
  await db.$queryRaw`SELECT 1`;
}
