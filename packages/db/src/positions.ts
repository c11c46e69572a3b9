import { decimal } from '@gatehouse/domain/decimal';
import { newId } from '@gatehouse/domain/id';
import type { PositionType } from '@gatehouse/domain/order';
import type { Position } from '@gatehouse/domain/settlement';
import type { Queryable, Transaction } from './client.ts';
import type { Position as PositionRow } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export interface PositionKey {
  accountId: string;
  symbol: string;
  positionType: PositionType;
}

export type StoredPosition = PositionKey & Position & { id: string };

function toPosition(row: PositionRow): StoredPosition {
  return {
    id: row.id,
    accountId: row.accountId,
    symbol: row.symbol,
    positionType: row.positionType,
    quantity: decimal(row.quantity),
    costBasis: decimal(row.costBasis),
    realizedPnl: decimal(row.realizedPnl),
  };
}

export async function findPosition(
  db: Queryable,
  key: PositionKey,
): Promise<StoredPosition | null> {
  const row = await db.position.findUnique({ where: { accountId_symbol_positionType: key } });
  return row && toPosition(row);
}

/** Writes positions as fills leave them, for the transaction that holds their accounts' locks. */
export async function savePositions(
  tx: Transaction,
  positions: readonly (PositionKey & Position)[],
  at: Date,
): Promise<void> {
  if (positions.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO position (id, account_id, symbol, position_type, quantity, cost_basis, realized_pnl, updated_at)
    SELECT *, ${at}::timestamptz FROM unnest(
      ${positions.map(() => newId())}::uuid[], ${positions.map((p) => p.accountId)}::uuid[],
      ${positions.map((p) => p.symbol)}::text[], ${positions.map((p) => p.positionType)}::position_type[],
      ${positions.map((p) => p.quantity.toFixed())}::numeric[],
      ${positions.map((p) => p.costBasis.toFixed())}::numeric[],
      ${positions.map((p) => p.realizedPnl.toFixed())}::numeric[])
    ON CONFLICT (account_id, symbol, position_type) DO UPDATE SET
      quantity = EXCLUDED.quantity, cost_basis = EXCLUDED.cost_basis,
      realized_pnl = EXCLUDED.realized_pnl, updated_at = EXCLUDED.updated_at`;
}

/** The positions of an account that are not flat. */
export async function listPositions(
  db: Queryable,
  accountId: string,
  request: PageRequest,
): Promise<Page<StoredPosition>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.position.findMany({
    ...page,
    where: { ...where, accountId, quantity: { gt: 0 } },
  });
  return toPage(rows.map(toPosition), request);
}

/** All positions of an account that are not flat. */
export async function allPositions(db: Queryable, accountId: string): Promise<StoredPosition[]> {
  const rows = await db.position.findMany({ where: { accountId, quantity: { gt: 0 } } });
  return rows.map(toPosition);
}
