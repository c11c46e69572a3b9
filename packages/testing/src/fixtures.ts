import type { Database } from '@gatehouse/db/client';
import { acceptOrders, type NewOrder } from '@gatehouse/db/order-acceptance';
import { createUser } from '@gatehouse/db/users';
import { decimal } from '@gatehouse/domain/decimal';
import { newId } from '@gatehouse/domain/id';
import { executeTrade } from '@gatehouse/jobs/definitions/execute-trade';
import type { JobLedger } from '@gatehouse/jobs/ledger';

export interface TestAccount {
  accountId: string;
  email: string;
}

/** A user with an account that holds the given dollars, as a registration would make it. */
export async function createTestAccount(
  db: Database,
  { cash = '100000.00' }: { cash?: string } = {},
): Promise<TestAccount> {
  const email = `${newId()}@example.test`;
  const user = await db.$transaction((tx) =>
    createUser(tx, {
      email,
      name: 'Ada Example',
      passwordHash: 'none: nobody logs in',
      role: 'user',
      startingCash: decimal(cash),
    }),
  );
  return { accountId: user.accountId, email };
}

export type TestOrder = Partial<Omit<NewOrder, 'id' | 'accountId'>>;

/** Buys 10 AAPL at the market. */
export const TEST_ORDER: Omit<NewOrder, 'id' | 'accountId' | 'createdAt'> = {
  clientOrderId: null,
  symbol: 'AAPL',
  side: 'buy',
  type: 'market',
  quantity: '10',
  limitPrice: null,
  timeInForce: 'day',
  positionType: 'stock',
};

/**
 * Accepts an order as the gateway does, with its execute-trade job, and returns its id. A market order to buy 10
 * AAPL unless told otherwise; a `limitPrice` makes it a limit order.
 *
 * Without the hand-over the job is committed as dispatched and Redis never hears of it, as when the gateway dies
 * right after its commit.
 */
export async function acceptTestOrder(
  db: Database,
  ledger: JobLedger,
  accountId: string,
  order: TestOrder = {},
  { handOver = true, requestId = null }: { handOver?: boolean; requestId?: string | null } = {},
): Promise<string> {
  const id = newId();
  const type = typeof order.limitPrice === 'string' ? 'limit' : 'market';
  const job = ledger.plan(executeTrade, { orderId: id, accountId }, { requestId });
  const record = {
    accountId,
    key: id,
    fingerprint: Buffer.from(id),
    status: 201,
    headers: {},
    body: '{}',
  };
  const accepted = { ...TEST_ORDER, type, createdAt: new Date(), ...order, id, accountId } as const;
  await acceptOrders(db, [{ order: accepted, record, job }]);
  if (handOver) ledger.dispatch([job]);
  return id;
}
