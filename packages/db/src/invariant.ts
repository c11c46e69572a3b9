import { Prisma } from './generated/client.ts';

export interface Invariant {
  /** What must hold. */
  name: string;
  /** Selects what breaks it: one text column `violation`. */
  violations: Prisma.Sql;
}

/** An open debt about a row, by the name of its job. */
export const owes = (name: Prisma.Sql, subject: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`EXISTS (SELECT 1 FROM job WHERE job.name = ${name} AND job.subject_id = ${subject})`;
