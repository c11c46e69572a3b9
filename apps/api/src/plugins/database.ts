import { createDatabase, type Database, type Transaction } from '@gatehouse/db/client';
import { afterCommit, transaction } from '@gatehouse/db/transaction';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    db: Database;
    /** `transaction` on it. */
    transaction<T>(effect: (tx: Transaction) => Promise<T>): Promise<T>;
    /** `afterCommit` of one that this app opened. */
    afterCommit(tx: Transaction, hook: () => void): void;
  }
}

export interface DatabaseOptions {
  url: string;
  connections: number;
}

/** Clients do not wait for longer: they are told to try again, and another connection answers them. */
const SILENCE_MS = 5_000;

export default fp<DatabaseOptions>(
  async (app, { url, connections }) => {
    const db = createDatabase(url, { connections, silenceMs: SILENCE_MS });
    app.decorate('db', db);
    app.decorate('transaction', (effect) => transaction(db, effect));
    app.decorate('afterCommit', afterCommit);
    app.addHook('onClose', () => db.$disconnect());
  },
  { name: 'database' },
);
