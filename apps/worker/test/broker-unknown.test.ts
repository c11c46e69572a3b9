import { decimal } from '@gatehouse/domain/decimal';
import { until } from '@gatehouse/testing/condition';
import { acceptTestOrder, createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { type OutsideStack, startOutside } from './outside.ts';
import { spawnWorker } from './worker-process.ts';

/** Accepts an order whose submission has no answer, and resolves once it is `unknown`. The broker is silent then. */
async function unknownOrder(
  stack: OutsideStack,
  behaviour: 'hang before accepting' | 'hang after accepting',
) {
  const { alpaca, db, ledger, orderIn, silentAfterSubmission } = stack;
  alpaca.onSubmit(behaviour);
  silentAfterSubmission();
  const { accountId } = await createTestAccount(db, { cash: '1100.00' });
  const orderId = await acceptTestOrder(db, ledger, accountId);
  const order = await orderIn('unknown', accountId, orderId);
  return { accountId, orderId, order };
}

test('an order that was taken and whose answer is lost is unknown, holds its cash, and is found', async () => {
  const stack = await startOutside();
  const { alpaca, db, ledger, smtp, startWorker, orderIn, allSettled, held } = stack;
  await startWorker();
  const { accountId, orderId, order } = await unknownOrder(stack, 'hang after accepting');
  expect(order).toMatchObject({ broker: 'alpaca', brokerOrderId: null, submittedAt: null });
  expect(await held(accountId)).toBe('1050');
  await expectBalancedBooks(db);
  expect(await db.job.findMany()).toMatchObject([{ name: 'reconcile-trade' }]);
  const other = await acceptTestOrder(db, ledger, accountId, { limitPrice: '100', quantity: '1' });
  await orderIn('rejected', accountId, other);

  // While the broker is silent the look is put off, and the order stays what it is.
  const putOff = await until(() => db.job.findFirst({ where: { generation: { gte: 1 } } }), {
    what: 'a look without an answer',
  });
  expect(putOff).toMatchObject({ name: 'reconcile-trade', attempts: 0 });
  await orderIn('unknown', accountId, orderId);

  alpaca.resume();
  const filled = await orderIn('filled', accountId, orderId);
  expect(filled.fills).toHaveLength(1);
  expect(filled.brokerOrderId).toBe(alpaca.orders()[0]?.id);
  await allSettled();
  expect([alpaca.submissions(), alpaca.orders().length, smtp.received.length]).toEqual([1, 1, 1]);
  await expectBalancedBooks(db);
});

test('an order that never arrived is unknown, then given to the broker again', async () => {
  const stack = await startOutside();
  const { alpaca, db, smtp, startWorker, orderIn, allSettled } = stack;
  await startWorker();
  const { accountId, orderId } = await unknownOrder(stack, 'hang before accepting');
  expect(alpaca.orders()).toEqual([]);
  alpaca.resume();
  await orderIn('filled', accountId, orderId);
  await allSettled();
  expect([alpaca.submissions(), alpaca.orders().length, smtp.received.length]).toEqual([2, 1, 1]);
  await expectBalancedBooks(db);
});

test('an order that never arrived and is refused then is rejected', async () => {
  const stack = await startOutside();
  const { alpaca, db, startWorker, orderIn, allSettled, held } = stack;
  await startWorker();
  const { accountId, orderId } = await unknownOrder(stack, 'hang before accepting');
  alpaca.onSubmit('hang before accepting', 'refuse');
  alpaca.resume();
  const order = await orderIn('rejected', accountId, orderId);
  expect(order).toMatchObject({ rejectCode: 'broker_rejected', brokerOrderId: null });
  await allSettled();
  expect(await held(accountId)).toBe('0');
  expect(alpaca.submissions()).toBe(3);
  await expectBalancedBooks(db);
});

test.each(['hang before accepting', 'hang after accepting'] as const)(
  'a worker that is killed between its intent and the answer (%s) leaves one order',
  async (behaviour) => {
    const { alpaca, db, ledger, redis, environment, smtp, startWorker, orderIn, ...stack } =
      await startOutside();
    alpaca.onSubmit(behaviour);
    const doomed = await spawnWorker(environment);
    const { accountId } = await createTestAccount(db);
    const orderId = await acceptTestOrder(db, ledger, accountId);
    await until(() => alpaca.submissions() === 1, { what: 'the submission', timeoutMs: 20_000 });
    await doomed.end('SIGKILL');
    const intent = await orderIn('accepted', accountId, orderId);
    expect(intent).toMatchObject({ broker: 'alpaca', brokerOrderId: null });
    expect(intent.holdPrice?.greaterThan(0)).toBe(true);
    expect(await db.job.findMany()).toMatchObject([{ name: 'execute-trade', attempts: 0 }]);
    await expectBalancedBooks(db);

    // Else Redis would keep the job for the dead worker until its lock runs out.
    await redis.flushdb();
    await startWorker();
    await orderIn('filled', accountId, orderId);
    await stack.allSettled();
    expect([alpaca.submissions(), alpaca.orders().length]).toEqual([2, 1]);
    expect([await db.fill.count(), smtp.received.length]).toEqual([1, 1]);
    await expectBalancedBooks(db);
  },
);

test('a broker that would take an order twice is not asked twice: its order is waited for', async () => {
  const outside = await startOutside();
  const { alpaca, db, ledger, broker, startWorker, orderIn, allSettled } = outside;
  const { accountId } = await createTestAccount(db);
  const orderId = await acceptTestOrder(db, ledger, accountId);
  // As a worker leaves it that dies in the middle.
  await db.order.update({ where: { id: orderId }, data: { broker: 'alpaca', holdPrice: '105' } });
  const { submit, find, cancel } = broker;
  let looks = 0;
  await startWorker({}, undefined, {
    name: 'alpaca',
    capabilities: { dedupesClientOrderId: false },
    submit,
    cancel,
    find: (id, signal) => {
      looks += 1;
      return find(id, signal);
    },
  });
  await orderIn('unknown', accountId, orderId);
  await until(() => looks >= 3, { what: 'the third look' });
  expect(alpaca.submissions()).toBe(0);
  await orderIn('unknown', accountId, orderId);
  await expectBalancedBooks(db);

  // What the dead worker had sent arrives at last.
  const late = { clientOrderId: orderId, symbol: 'AAPL', side: 'buy', type: 'market' } as const;
  const terms = { quantity: decimal('10'), timeInForce: 'day', positionType: 'stock' } as const;
  await submit({ ...late, ...terms }, new AbortController().signal);
  await orderIn('filled', accountId, orderId);
  await allSettled();
  expect(alpaca.submissions()).toBe(1);
  await expectBalancedBooks(db);
});
