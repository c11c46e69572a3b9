import { newId } from '@gatehouse/domain/id';
import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../src/client.ts';
import { isDatabaseUnavailable, isDeadlock, isUniqueViolation } from '../src/errors.ts';

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('of two transactions that wait for each other one is told of a deadlock, raw or not', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const [one, two] = [await createTestAccount(db), await createTestAccount(db)];
  const change = {
    raw: (tx: Pick<typeof db, '$executeRaw'>, id: string) =>
      tx.$executeRaw`UPDATE account SET cash = cash + 1 WHERE id = ${id}::uuid`,
    model: (tx: Pick<typeof db, 'account'>, id: string) =>
      tx.account.update({ where: { id }, data: { cash: { increment: 1 } } }),
  };
  for (const kind of ['raw', 'model'] as const) {
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const cross = (
      ids: [string, string],
      own: PromiseWithResolvers<void>,
      other: PromiseWithResolvers<void>,
    ) =>
      db.$transaction(async (tx) => {
        await change[kind](tx, ids[0]);
        own.resolve();
        await other.promise;
        await change[kind](tx, ids[1]);
      });
    const errors = await Promise.all([
      thrownBy(cross([one.accountId, two.accountId], first, second)),
      thrownBy(cross([two.accountId, one.accountId], second, first)),
    ]);
    expect([kind, errors.filter(isDeadlock).length]).toEqual([kind, 1]);
    expect(errors.filter((error) => error === undefined)).toHaveLength(1);
    expect(errors.some(isDatabaseUnavailable)).toBe(false);
  }
});

test('a unique violation is neither a deadlock nor an outage; a server that is not there is one', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const id = newId();
  await db.account.create({ data: { id } });
  const taken = await thrownBy(db.account.create({ data: { id } }));
  expect([isUniqueViolation(taken), isDeadlock(taken), isDatabaseUnavailable(taken)]).toEqual([
    true,
    false,
    false,
  ]);

  const nowhere = createDatabase('postgresql://nobody@127.0.0.1:1/none');
  onTestFinished(() => nowhere.$disconnect());
  const away = await thrownBy(nowhere.$queryRaw`SELECT 1`);
  expect([isUniqueViolation(away), isDatabaseUnavailable(away)]).toEqual([false, true]);
  const modelAway = await thrownBy(nowhere.account.findFirst());
  expect(isDatabaseUnavailable(modelAway)).toBe(true);
});

test('a connection that the server ends in mid-transaction is an outage', async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const error = await thrownBy(
    db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT pg_terminate_backend(pg_backend_pid())`;
      await tx.$queryRaw`SELECT 1`;
    }),
  );
  expect(isDatabaseUnavailable(error)).toBe(true);
});
