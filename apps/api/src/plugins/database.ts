import { createDatabase, type Database } from '@gatehouse/db/client';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    db: Database;
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
    app.addHook('onClose', () => db.$disconnect());
  },
  { name: 'database' },
);
