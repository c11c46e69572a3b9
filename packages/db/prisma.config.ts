import { defineConfig } from 'prisma/config';

/** For Prisma's own commands (`generate`, `migrate deploy`); the applications pass their URL to `createDatabase`. */
export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
});
