import { beforeAll, describe, expect, test } from 'vitest';
import { KEYED_ROUTES } from './keyed-routes.ts';
import { kindOf, startWorld, type World } from './keyed-world.ts';

/** Headers that belong to an answer's being sent, not to what is answered. */
const OF_THE_SENDING = ['connection', 'date', 'idempotent-replayed', 'keep-alive', 'x-request-id'];

let world: World;
beforeAll(async () => {
  world = await startWorld();
});

const permanent = ({ headers }: { headers: Headers }) =>
  [...headers].filter(([name]) => !OF_THE_SENDING.includes(name));

test('every keyed route of the gateway is in the table that these tests go through', async () => {
  const { paths } = (await world.gateway.call('GET', '/openapi.json')).body;
  const found = Object.entries<object>(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => ['post', 'patch'].includes(method))
      .filter(() => path.startsWith('/v1/') && !path.startsWith('/v1/auth/'))
      .map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  expect(found.sort()).toEqual(KEYED_ROUTES.map((row) => `${row.method} ${row.route}`).sort());
});

describe.each(KEYED_ROUTES)('$method $route', (route) => {
  test('case 1 and 2: runs, then replays the answer whole, with nothing written', async () => {
    const { send, effects, key } = await world.scene(route);
    const first = await send();
    expect([first.status, kindOf(first)]).toEqual([route.status, 'ran']);
    expect(await effects()).toEqual(route.effect);
    expect(first.headers.has('location')).toBe(route.hasLocation ?? false);

    const alias = { 'x-idempotency-key': `"${key['idempotency-key']}"` };
    for (const second of [await send(), await send({ headers: alias })]) {
      expect([second.status, kindOf(second)]).toEqual([route.status, 'replayed']);
      expect(second.text).toBe(first.text);
      expect(permanent(second)).toEqual(permanent(first));
      expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
      expect(second.headers.has('set-cookie')).toBe(false);
    }
    expect(await effects()).toEqual(route.effect);
  });

  test('case 4: the same key for another payload or path is refused, the first stays replayable', async () => {
    const { send, other, effects } = await world.scene(route);
    const first = await send();
    const reused = await send({ ask: other });
    expect(kindOf(reused)).toBe('422 idempotency_key_reused');
    const again = await send();
    expect([kindOf(again), again.text]).toEqual(['replayed', first.text]);
    expect(await effects()).toEqual(route.effect);
  });

  test('case 5: member order, white space and the spelling of values do not matter', async () => {
    const { send, ask, person, key } = await world.scene(route);
    const first = await send();
    const { body } = ask;
    if (body === undefined) return expect(kindOf(await send())).toBe('replayed');
    const members = Object.entries({ ...body, ...route.respell }).reverse();
    const respelled = JSON.stringify(Object.fromEntries(members), null, '\t ');
    const second = await person.call(route.method, ask.path, { body: respelled, headers: key });
    expect([kindOf(second), second.text]).toEqual(['replayed', first.text]);
  });

  test('case 6: a key belongs to the account, whatever its token', async () => {
    const { send, person, key } = await world.scene(route);
    const first = await send();
    const again = await send({ from: await person.again() });
    expect([kindOf(again), again.text]).toEqual(['replayed', first.text]);

    const stranger = await world.newPerson(route.role);
    const theirs = await route.prepare({ db: world.gateway.db, person: stranger });
    const answer = await send({ ask: theirs.ask, from: stranger, headers: key });
    expect([answer.status, kindOf(answer)]).toEqual([route.status, 'ran']);
  });

  test('case 7: a bad key is refused, and a missing one where it is required', async () => {
    const { send, effects } = await world.scene(route);
    for (const key of ['', '""', 'x'.repeat(256), 'caf\u00e9', 'a\tb']) {
      const answer = await send({ headers: { 'idempotency-key': key } });
      expect([key, kindOf(answer)]).toEqual([key, '400 idempotency_key_invalid']);
    }
    expect(await effects()).toEqual([]);
    const keyless = await send({ headers: {} });
    expect(kindOf(keyless)).toBe(route.isRequired ? '400 idempotency_key_required' : 'ran');
    expect(await effects()).toEqual(route.isRequired ? [] : route.effect);
  });

  test('case 8: what is refused before it runs leaves the key unused', async () => {
    const { send, ask, person, key, effects } = await world.scene(route);
    const { method } = route;
    const { gateway } = world;
    const scoped = await person.call('POST', '/v1/api-keys', {
      body: { name: 'scoped', scopes: ['account:read'] },
    });
    const bearer = (token: string) => ({ ...key, authorization: `Bearer ${token}` });
    const huge = { body: { title: 'x'.repeat(1024 * 1024) } };
    const refusals = async () => [
      await gateway.call(method, ask.path, { ...ask, headers: key }),
      await gateway.call(method, ask.path, { ...ask, headers: bearer('forged') }),
      await gateway.call(method, ask.path, { ...ask, headers: bearer(scoped.body.key) }),
      await person.call(method, ask.path, { body: '{', headers: key }),
      await person.call(method, ask.path, { ...huge, headers: key }),
      await person.call(method, ask.path, {
        body: 'title: x',
        headers: { ...key, 'content-type': 'application/yaml' },
      }),
    ];
    const statuses = [401, 401, 403, 400, 413, 415];
    expect((await refusals()).map(({ status }) => status)).toEqual(statuses);
    expect(kindOf(await send())).toBe('ran');
    // Nor does a key that has its answer let anybody past a check.
    const written = await effects();
    expect((await refusals()).map(({ status }) => status)).toEqual(statuses);
    expect(await effects()).toEqual(written);
  });

  test.each([
    ['an error', 'P0001', 500],
    ['a database that goes away', '57P01', 503],
  ])('case 8: after %s the key is unused', async (_, state, status) => {
    const { send, effects } = await world.scene(route);
    const { db } = world.gateway;
    await db.$executeRawUnsafe(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '${state}'; END $$`);
    await db.$executeRaw`
      CREATE TRIGGER refuse BEFORE INSERT ON idempotency_record EXECUTE FUNCTION refuse()`;
    const failed = await send();
    await db.$executeRaw`DROP FUNCTION refuse() CASCADE`;
    expect(failed.status).toBe(status);
    expect(failed.headers.has('retry-after')).toBe(status === 503);
    expect(await effects()).toEqual([]);
    expect(kindOf(await send())).toBe('ran');
    expect(await effects()).toEqual(route.effect);
  });
});

describe.each(KEYED_ROUTES.filter(({ refused }) => refused))('$method $route', (route) => {
  test('case 8: the refusal of a business rule is the answer, in both tiers', async () => {
    const { send } = await world.scene(route);
    const { status, ...ask } = route.refused ?? { path: '', status: 0 };
    const first = await send({ ask });
    expect(first.status).toBe(status);
    const fromRedis = await send({ ask });
    await world.gateway.app.redis.flushdb();
    const fromPostgres = await send({ ask });
    for (const answer of [fromRedis, fromPostgres]) {
      expect([answer.status, kindOf(answer)]).toEqual([status, 'replayed']);
      // With the first one's request id: nothing was asked again.
      expect(answer.text).toBe(first.text);
      expect(permanent(answer)).toEqual(permanent(first));
    }
  });
});
