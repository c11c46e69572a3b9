import { setUserRole } from '@gatehouse/db/users';
import { until } from '@gatehouse/testing/condition';
import { expect, test } from 'vitest';
import { startGateway } from './harness.ts';
import { newPerson } from './people.ts';

const users = '/v1/users';

test.each([
  ['demoted', 'PATCH', { role: 'operator' }],
  ['deactivated', 'PATCH', { active: false }],
  ['removed', 'DELETE', undefined],
])('the last active admin is not %s; with another there he may do so himself', async (...row) => {
  const [, method, body] = row;
  const gateway = await startGateway();
  const [ada, bob] = [await newPerson(gateway, 'admin'), await newPerson(gateway, 'admin')];
  await bob.call('PATCH', `${users}/${bob.userId}`, { body: { active: false } });
  const stored = () => gateway.db.user.findUnique({ where: { id: ada.userId } });
  const alone = await ada.call(method, `${users}/${ada.userId}`, { body });
  expect([alone.status, alone.body.code]).toEqual([409, 'last_admin']);
  const before = await stored();
  expect(before).toMatchObject({ role: 'admin', deactivatedAt: null });
  const renamed = await ada.call('PATCH', `${users}/${ada.userId}`, { body: { name: 'Alone' } });
  expect(renamed.status).toBe(200);

  await ada.call('PATCH', `${users}/${bob.userId}`, { body: { active: true } });
  const answer = await ada.call(method, `${users}/${ada.userId}`, { body });
  expect([200, 204]).toContain(answer.status);
  const after = await stored();
  expect(after?.role === 'admin' && after.deactivatedAt === null).toBe(false);
});

test('of two admins who remove each other at once, over two gateways, one stays', async () => {
  const gateway = await startGateway();
  const replica = await gateway.replica();
  const [ada, bob] = [await newPerson(gateway, 'admin'), await newPerson(gateway, 'admin')];
  for (const [method, body] of [
    ['PATCH', { role: 'user' }],
    ['PATCH', { active: false }],
    ['DELETE', undefined],
  ] as const) {
    const tries = Array.from({ length: 20 }, (_, index) => {
      const [actor, victim] = index % 2 === 0 ? [ada, bob] : [bob, ada];
      const from = index % 4 < 2 ? gateway : replica;
      return actor.at(from)(method, `${users}/${victim.userId}`, { body });
    });
    const answers = await Promise.all(tries);
    const won = answers.filter(({ status }) => status < 300);
    expect(won.length).toBeGreaterThan(0);
    // Who lost is told so, or is no admin any more, or is out, by the time that he asks.
    const lost = new Set(answers.map(({ status }) => status).filter((status) => status >= 300));
    expect([401, 403, 409]).toEqual(expect.arrayContaining([...lost]));
    for (const { status, body: problem } of answers)
      if (status === 409) expect(problem.code).toBe('last_admin');
    const active = { role: 'admin', deactivatedAt: null } as const;
    const left = await gateway.db.user.findMany({ where: active });
    expect(left).toHaveLength(1);

    await gateway.db.user.updateMany({ data: { deactivatedAt: null } });
    for (const { email } of [ada, bob]) await setUserRole(gateway.db, email, 'admin');
    for (const person of [ada, bob]) Object.assign(person, await person.again());
    await until(
      async () => {
        const reads = [ada, bob].flatMap((person) => [
          person.at(gateway)('GET', users),
          person.at(replica)('GET', users),
        ]);
        return (await Promise.all(reads)).every(({ status }) => status === 200);
      },
      { what: 'both to be admins again', timeoutMs: 5_000 },
    );
  }
});
