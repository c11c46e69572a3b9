import { migrate } from '../src/migrate.ts';

const databaseUrl = process.env.DATABASE_URL;
if (databaseUrl === undefined) {
  console.error('DATABASE_URL is not set: name the database to migrate');
  process.exit(1);
}
const applied = await migrate(databaseUrl);
console.log(applied.map((name) => `applied ${name}`).join('\n') || 'the database is up to date');
