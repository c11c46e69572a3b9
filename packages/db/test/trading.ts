import { decimal } from '@gatehouse/domain/decimal';
import { newId } from '@gatehouse/domain/id';
import { settleFill } from '@gatehouse/domain/settlement';
import { createTestAccount, TEST_ORDER } from '@gatehouse/testing/fixtures';
import type { Database } from '../src/client.ts';
import { insertLedgerTransactions } from '../src/ledger.ts';
import { type Acceptance, acceptOrders, type NewOrder } from '../src/order-acceptance.ts';
import { insertFills, lockOrders, saveOrders } from '../src/orders.ts';
import { savePositions } from '../src/positions.ts';

/** Everything that the acceptance of an order writes. */
export function acceptance(
  accountId: string,
  changes: Partial<NewOrder> & { key?: string } = {},
): Acceptance {
  const { key = newId(), ...order } = changes;
  const id = newId();
  return {
    order: {
      id,
      accountId,
      ...TEST_ORDER,
      createdAt: new Date(),
      ...order,
    },
    record: {
      accountId,
      key,
      fingerprint: Buffer.from(key),
      status: 201,
      headers: { a: 'b' },
      body: '{}',
    },
    job: {
      id: newId(),
      queue: 'trades',
      name: 'execute-trade',
      subjectId: id,
      payload: { orderId: id, accountId },
      state: 'dispatched',
      runAt: null,
      delayMs: 0,
      priority: 0,
      groupKey: null,
      requestId: 'request',
    },
  };
}

/** An account with an order of 10 at 100.00, filled as the worker does it. */
export async function filledOrder(db: Database): Promise<{ accountId: string; orderId: string }> {
  const { accountId } = await createTestAccount(db);
  const accepted = acceptance(accountId);
  await acceptOrders(db, [accepted]);
  await db.$transaction(async (tx) => {
    await tx.job.delete({ where: { id: accepted.job.id } });
    const order = (await lockOrders(tx, [accepted.order.id])).get(accepted.order.id);
    if (order === undefined) throw new Error('the order is gone');
    const fill = { side: 'buy', quantity: order.quantity, price: decimal('100.00') } as const;
    const { position, entries } = settleFill(null, fill);
    const at = new Date();
    const filled = {
      id: newId(),
      orderId: order.id,
      accountId,
      executionId: `${order.id}-1`,
      ...fill,
      executedAt: at,
    };
    await insertFills(tx, [filled]);
    await savePositions(
      tx,
      [{ accountId, symbol: 'AAPL', positionType: 'stock', ...position }],
      at,
    );
    await insertLedgerTransactions(tx, [
      { accountId, kind: 'fill', referenceId: filled.id, entries, at, requestId: null },
    ]);
    await saveOrders(
      tx,
      [
        {
          ...order,
          status: 'filled',
          filledQuantity: order.quantity,
          filledAt: at,
          version: order.version + 1,
        },
      ],
      at,
    );
  });
  return { accountId, orderId: accepted.order.id };
}
