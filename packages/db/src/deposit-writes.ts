import type { Transaction } from './client.ts';
import { type DepositChange, newDisputes } from './deposit-changes.ts';

/**
 * Writes deposits that the transaction has locked as the last change of each leaves them, with the disputes of which
 * more is known.
 *
 * @throws when a dispute is another deposit's
 */
export async function saveDeposits(
  tx: Transaction,
  changes: readonly DepositChange[],
): Promise<void> {
  const changed = changes.filter(({ before, deposit }) => deposit !== before);
  if (changed.length === 0) return;
  const deposits = [...new Map(changed.map(({ deposit }) => [deposit.id, deposit])).values()];
  await tx.$executeRaw`
    UPDATE deposit SET
      status = input.status, received_amount = input.received_amount, refunded_amount = input.refunded_amount,
      failed_refund_amount = input.failed_refund_amount, payment_intent_id = input.payment_intent_id,
      updated_at = input.updated_at, succeeded_at = input.succeeded_at
    FROM unnest(
      ${deposits.map((d) => d.id)}::uuid[], ${deposits.map((d) => d.status)}::deposit_status[],
      ${deposits.map((d) => d.receivedAmount)}::int[], ${deposits.map((d) => d.refundedAmount)}::int[],
      ${deposits.map((d) => d.failedRefundAmount)}::int[], ${deposits.map((d) => d.paymentIntentId)}::text[],
      ${deposits.map((d) => d.updatedAt)}::timestamptz[], ${deposits.map((d) => d.succeededAt)}::timestamptz[]
    ) AS input (id, status, received_amount, refunded_amount, failed_refund_amount, payment_intent_id,
      updated_at, succeeded_at)
    WHERE deposit.id = input.id`;
  await saveDisputes(tx, changed);
}

async function saveDisputes(tx: Transaction, changes: readonly DepositChange[]): Promise<void> {
  const news = changes.flatMap(({ before, deposit, at }) =>
    newDisputes(before, deposit).map((one) => ({ ...one, depositId: deposit.id, at })),
  );
  if (news.length === 0) return;
  const disputes = new Map(news.map((one) => [one.id, one]));
  // In the order of their ids: two transactions that name the same would else wait for each other.
  const rows = [...disputes.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const saved = await tx.$queryRaw<{ id: string; depositId: string }[]>`
    INSERT INTO deposit_dispute AS known (id, deposit_id, amount, status, created_at, updated_at)
    SELECT id, deposit_id, amount, status, at, at FROM unnest(
      ${rows.map((d) => d.id)}::text[], ${rows.map((d) => d.depositId)}::uuid[],
      ${rows.map((d) => d.amount)}::int[], ${rows.map((d) => d.status)}::dispute_status[],
      ${rows.map((d) => d.at)}::timestamptz[]) AS input (id, deposit_id, amount, status, at)
    ON CONFLICT (id) DO UPDATE SET
      amount = excluded.amount, status = excluded.status, updated_at = excluded.updated_at
    WHERE known.deposit_id = excluded.deposit_id
    RETURNING id, deposit_id AS "depositId"`;
  const owners = new Map(saved.map(({ id, depositId }) => [id, depositId]));
  const stray = news.find(({ id, depositId }) => owners.get(id) !== depositId);
  if (stray !== undefined) {
    throw new Error(`a dispute of deposit ${stray.depositId} is another deposit's`);
  }
}
