import type { Transaction } from './client.ts';
import type { Prisma } from './generated/client.ts';

/** Something that happened to an account. */
export interface NewEvent {
  id: string;
  accountId: string;
  /** `deposit.succeeded`. */
  type: string;
  /** The resource right after, as the API shows it. */
  data: Prisma.InputJsonObject;
  requestId: string | null;
  at: Date;
}

/** Writes down what happened, in the transaction in which it happens. */
export async function insertEvents(tx: Transaction, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO event (id, account_id, type, data, request_id, created_at)
    SELECT * FROM unnest(
      ${events.map((e) => e.id)}::uuid[], ${events.map((e) => e.accountId)}::uuid[],
      ${events.map((e) => e.type)}::text[], ${events.map((e) => JSON.stringify(e.data))}::jsonb[],
      ${events.map((e) => e.requestId)}::text[], ${events.map((e) => e.at)}::timestamptz[])`;
}
