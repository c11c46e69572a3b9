import { insertDeposit } from '@gatehouse/db/deposits';
import { newId } from '@gatehouse/domain/id';
import { takeFromAccount } from '@gatehouse/testing/taken-money';
import { expect, test } from 'vitest';
import { startGateway } from './harness.ts';
import { newPerson } from './people.ts';

test('the account shows what it owes, which is neither to be bought with nor its own', async () => {
  const gateway = await startGateway({ PAPER_STARTING_CASH: '100.00' });
  const ada = await newPerson(gateway, 'user');
  const read = async () => (await ada.call('GET', '/v1/account')).body;
  expect(await read()).toMatchObject({ cash: '100.00', owed: '0.00', buyingPower: '100.00' });
  await takeFromAccount(gateway.db, ada.accountId, 40_01);
  expect(await read()).toMatchObject({ cash: '59.99', owed: '0.00', equity: '59.99' });
  await takeFromAccount(gateway.db, ada.accountId, 80_00);
  expect(await read()).toMatchObject({
    cash: '0.00',
    owed: '20.01',
    buyingPower: '0.00',
    equity: '-20.01',
  });

  const { body } = await ada.call('GET', '/v1/account/ledger?limit=3');
  const entries: { kind: string; ledger: string; amount: string }[] = body.data;
  expect(entries.map(({ kind, ledger, amount }) => [kind, ledger, amount]).sort()).toEqual([
    ['dispute', 'cash', '-60.00'],
    ['dispute', 'equity', '80.01'],
    ['dispute', 'payable', '-20.01'],
  ]);
});

test('who has begun a deposit is deactivated when he is removed, even if nothing came of it', async () => {
  const gateway = await startGateway({ PAPER_STARTING_CASH: '0' });
  const admin = await newPerson(gateway, 'admin');
  const [bob, carl] = [await newPerson(gateway, 'user'), await newPerson(gateway, 'user')];
  await gateway.db.$transaction((tx) =>
    insertDeposit(tx, {
      id: newId(),
      accountId: bob.accountId,
      amount: 500,
      currency: 'usd',
    }),
  );
  const event = { id: newId(), accountId: carl.accountId, type: 'x', data: {} };
  await gateway.db.event.create({ data: event });
  for (const { userId } of [bob, carl]) {
    expect((await admin.call('DELETE', `/v1/users/${userId}`)).status).toBe(204);
    const user = await gateway.db.user.findUniqueOrThrow({ where: { id: userId } });
    expect(user.deactivatedAt).toBeInstanceOf(Date);
  }
  expect(await gateway.db.deposit.count()).toBe(1);
});
