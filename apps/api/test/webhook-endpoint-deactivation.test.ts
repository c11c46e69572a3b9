import { lockEventLog } from '@gatehouse/db/event-log';
import { testEndpoint } from '@gatehouse/db/webhook-endpoint-events';
import { lockEndpoint } from '@gatehouse/db/webhook-endpoints';
import { lockWaiter } from '@gatehouse/testing/locks';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterFile, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { PATH, typesHeard } from './webhook-endpoint-scene.ts';
import { addEndpoint, HOOK_URL, publishWithJobs, violations } from './webhook-scene.ts';

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

describe('who is deactivated', () => {
  const asAdmin = async (method: 'PATCH' | 'DELETE', { userId }: Person, body?: object) => {
    const admin = await newPerson(gateway, 'admin');
    const { status } = await admin.call(method, `/v1/users/${userId}`, { ...(body && { body }) });
    expect([200, 204]).toContain(status);
  };
  const stored = (id: string) => gateway.db.webhookEndpoint.findUniqueOrThrow({ where: { id } });

  test.each([
    ['by a change', 'PATCH', { active: false }],
    ['since he cannot be deleted', 'DELETE', undefined],
  ] as const)('%s is told nothing any more, until he switches his endpoints on', async (...row) => {
    const [, method, body] = row;
    const bob = await newPerson(gateway, 'user');
    const { id } = await addEndpoint(bob, { eventTypes: ['*'] });
    const { id: off } = await addEndpoint(bob);
    const { id: gone } = await addEndpoint(bob);
    const { id: others } = await addEndpoint(ada);
    await bob.call('PATCH', `${PATH}/${off}`, { body: { enabled: false } });
    await bob.call('DELETE', `${PATH}/${gone}`);
    await publishWithJobs(gateway);
    const heard = await typesHeard(gateway.db, id);
    await asAdmin(method, bob, body);
    await publishWithJobs(gateway);
    expect(await typesHeard(gateway.db, id)).toEqual(heard);
    const reasons = [id, off, gone, others].map(async (one) => (await stored(one)).disabledReason);
    expect(await Promise.all(reasons)).toEqual(['deactivated', 'owner', null, null]);

    await asAdmin('PATCH', bob, { active: true });
    expect((await stored(id)).disabledReason).toBe('deactivated');
    const again = await bob.again();
    const events = await again.call('GET', '/v1/events?limit=100');
    expect(
      events.body.data.filter(({ type, data }: { type: string; data: { id: string } }) => {
        return type === 'webhook_endpoint.disabled' && data.id === id;
      }),
    ).toMatchObject([{ data: { enabled: false, disabledReason: 'deactivated' } }]);
    const on = await again.call('PATCH', `${PATH}/${id}`, { body: { enabled: true } });
    expect(on.body).toMatchObject({ enabled: true, disabledReason: null });
    expect(await violations(gateway.db)).toEqual([]);
  });

  test('leaves no endpoint behind that he makes or enables at that moment', async () => {
    const bob = await newPerson(gateway, 'user');
    const { id: off } = await addEndpoint(bob);
    await bob.call('PATCH', `${PATH}/${off}`, { body: { enabled: false } });
    // All ask as one who is active, and wait for the log.
    const free = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const holding = gateway.app.transaction(async (tx) => {
      await lockEventLog(tx);
      held.resolve();
      await free.promise;
    });
    await held.promise;
    const deactivated = asAdmin('PATCH', bob, { active: false });
    await lockWaiter(gateway.db);
    const body = { url: HOOK_URL, eventTypes: ['*'] };
    const late = [
      bob.call('POST', PATH, { body }),
      bob.call('PATCH', `${PATH}/${off}`, { body: { enabled: true } }),
    ];
    await lockWaiter(gateway.db, 3);
    free.resolve();
    await Promise.all([holding, deactivated]);
    expect((await Promise.all(late)).map(({ status }) => status)).toEqual([401, 401]);
    const { accountId } = bob;
    const where = { accountId, disabledReason: null };
    expect(await gateway.db.webhookEndpoint.count({ where })).toBe(0);
    expect(await violations(gateway.db)).toEqual([]);
  });

  test('waits in no circle with whoever uses an endpoint of his', async () => {
    const bob = await newPerson(gateway, 'user');
    const { id } = await addEndpoint(bob);
    const [removal] = await gateway.app.transaction(async (tx) => {
      const endpoint = await lockEndpoint(tx, bob.accountId, id);
      if (endpoint === null) throw new Error('there is no endpoint');
      const begun = asAdmin('DELETE', bob);
      await lockWaiter(gateway.db);
      // Refers to the account, after the endpoint.
      await testEndpoint(tx, endpoint, { at: new Date(), requestId: null });
      return [begun];
    });
    await removal;
    expect((await stored(id)).disabledReason).toBe('deactivated');
  });
});
