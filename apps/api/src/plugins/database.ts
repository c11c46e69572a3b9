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

export default fp<DatabaseOptions>(
  async (app, { url, connections }) => {
    const db = createDatabase(url, { connections });
    app.decorate('db', db);
    app.addHook('onClose', () => db.$disconnect());
  },
  { name: 'database' },
);
