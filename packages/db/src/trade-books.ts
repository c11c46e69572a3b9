import { type Decimal, decimal, ZERO } from '@gatehouse/domain/decimal';
import type { PositionType } from '@gatehouse/domain/order';
import type { Position } from '@gatehouse/domain/settlement';
import { lockAccounts, sumHolds } from './accounts.ts';
import type { Transaction } from './client.ts';
import { lockOrders, type OrderWithFills } from './orders.ts';

/** What trades read: accounts and orders locked until the transaction ends, and what bears on them. */
export interface TradeBooks {
  orders: Map<string, OrderWithFills>;
  accounts: Map<string, AccountBook>;
}

export interface AccountBook {
  accountId: string;
  /** Dollars. */
  cash: Decimal;
  /** Dollars that buy orders hold which a broker has, or may have. */
  heldCash: Decimal;
  /** Dollars that the account owes, and cannot buy with. */
  owed: Decimal;
  /** The address of its owner. */
  email: string;
  /** By `positionKey`, for the symbols of `orders`. */
  positions: Map<string, PositionBook>;
}

export interface PositionBook {
  symbol: string;
  positionType: PositionType;
  position: Position;
  /** Shares that sell orders hold which a broker has, or may have. */
  heldQuantity: Decimal;
}

export function positionKey({
  symbol,
  positionType,
}: {
  symbol: string;
  positionType: PositionType;
}): string {
  return `${symbol} ${positionType}`;
}

const FLAT: Position = { quantity: ZERO, costBasis: ZERO, realizedPnl: ZERO };

/**
 * Opens the books for trades of the given orders. Transactions that share an account take turns.
 *
 * Locks are taken in one order everywhere, so that none wait for each other in a circle: accounts by id, then orders by id.
 */
export async function openTradeBooks(
  tx: Transaction,
  trades: readonly { orderId: string; accountId: string }[],
): Promise<TradeBooks> {
  const orderIds = trades.map(({ orderId }) => orderId);
  const accountIds = [...new Set(trades.map(({ accountId }) => accountId))];
  const accounts = new Map<string, AccountBook>();
  for (const { id, cash, owed, email } of await lockAccounts(tx, accountIds)) {
    accounts.set(id, { accountId: id, cash, heldCash: ZERO, owed, email, positions: new Map() });
  }
  const orders = await lockOrders(tx, orderIds);
  await addPositions(tx, accounts, [...orders.values()]);
  for (const hold of await sumHolds(tx, accountIds)) {
    const account = accounts.get(hold.accountId);
    if (account === undefined) continue;
    account.heldCash = account.heldCash.plus(hold.cash);
    const position = account.positions.get(positionKey(hold));
    if (position !== undefined) position.heldQuantity = hold.quantity;
  }
  return { orders, accounts };
}

async function addPositions(
  tx: Transaction,
  accounts: Map<string, AccountBook>,
  orders: readonly OrderWithFills[],
): Promise<void> {
  for (const { accountId, symbol, positionType } of orders) {
    accounts.get(accountId)?.positions.set(positionKey({ symbol, positionType }), {
      symbol,
      positionType,
      position: FLAT,
      heldQuantity: ZERO,
    });
  }
  const rows = await tx.position.findMany({
    where: {
      accountId: { in: [...accounts.keys()] },
      symbol: { in: [...new Set(orders.map(({ symbol }) => symbol))] },
    },
  });
  for (const row of rows) {
    const book = accounts.get(row.accountId)?.positions.get(positionKey(row));
    if (book === undefined) continue;
    book.position = {
      quantity: decimal(row.quantity),
      costBasis: decimal(row.costBasis),
      realizedPnl: decimal(row.realizedPnl),
    };
  }
}
