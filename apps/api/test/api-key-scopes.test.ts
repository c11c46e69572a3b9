import { newId } from '@gatehouse/domain/id';
import { beforeAll, expect, test } from 'vitest';
import { SCOPES, type Scope } from '../src/auth/scopes.ts';
import { afterFile, freshKey, type Gateway, startGateway } from './harness.ts';
import { bearer, newPerson, type Person } from './people.ts';

interface Route {
  method: string;
  path: string;
  /** What its security in OpenAPI names: a scope or a role. Undefined when it names nothing. */
  needs: string | undefined;
  /** It asks for no bearer, or takes something else as well. */
  isOpen: boolean;
}

let gateway: Gateway;
let admin: Person;
let routes: Route[];
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  admin = await newPerson(gateway, 'admin');
  const { paths } = (await gateway.call('GET', '/openapi.json')).body;
  routes = Object.entries<Record<string, { security?: Record<string, string[]>[] }>>(paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, { security = [] }]) => ({
        method: method.toUpperCase(),
        path: path.replace('{symbol}', 'AAPL').replace(/\{\w+\}/g, () => newId()),
        needs: security[0]?.bearer?.[0],
        isOpen: security.length !== 1 || security[0]?.bearer === undefined,
      })),
  );
});

/** The status that each of these routes gives a key with these scopes. */
async function statuses(scopes: readonly Scope[] | undefined, of: readonly Route[]) {
  const { status, body } = await admin.call('POST', '/v1/api-keys', {
    body: { name: 'k', scopes },
  });
  expect(status).toBe(201);
  const call = bearer(gateway.call, body.key);
  const answers = [];
  for (const { method, path } of of) {
    const sent = method === 'POST' || method === 'PATCH' ? { body: {}, headers: freshKey() } : {};
    answers.push(`${method} ${path} ${(await call(method, path, sent)).status}`);
  }
  return answers;
}

const refusals = (answers: readonly string[]) => answers.filter((one) => / 40[13]$/.test(one));
const forbidden = (of: readonly Route[]) => of.map(({ method, path }) => `${method} ${path} 403`);
const isScoped = ({ needs }: Route) => SCOPES.some((scope) => scope === needs);

test('there are routes for scopes, for sessions, and for roles', () => {
  const needed = new Set(routes.filter(isScoped).map(({ needs }) => needs));
  expect([...needed]).toEqual(
    expect.arrayContaining([
      'orders:read',
      'orders:write',
      'tasks:read',
      'tasks:write',
      'account:read',
      'deposits:write',
    ]),
  );
  expect(routes.some(({ needs }) => needs === 'admin')).toBe(true);
  expect(routes.some(({ needs, isOpen }) => needs === undefined && !isOpen)).toBe(true);
  // A name that is neither a scope nor a role would be a hole in the tests below.
  const known = [undefined, 'operator', 'admin', ...SCOPES];
  expect(routes.filter(({ needs }) => !known.some((one) => one === needs))).toEqual([]);
});

test.each(SCOPES)('a key with only %s does what it covers, and nothing else', async (scope) => {
  const covered = routes.filter(({ needs }) => needs === scope);
  const others = routes.filter(({ needs, isOpen }) => needs !== scope && !isOpen);
  expect(refusals(await statuses([scope], covered))).toEqual([]);
  expect(await statuses([scope], others)).toEqual(forbidden(others));
});

test.each(SCOPES)('a key with all scopes but %s does not do what it covers', async (scope) => {
  const covered = routes.filter(({ needs }) => needs === scope);
  const rest = SCOPES.filter((one) => one !== scope);
  expect(await statuses(rest, covered)).toEqual(forbidden(covered));
});

test('a key without scopes does all that its owner does, save what needs a signed-in person', async () => {
  const [forPeople, others] = [true, false].map((isForPeople) =>
    routes.filter(({ needs, isOpen }) => !isOpen && (needs === undefined) === isForPeople),
  );
  expect(refusals(await statuses(undefined, others ?? []))).toEqual([]);
  expect(await statuses(undefined, forPeople ?? [])).toEqual(forbidden(forPeople ?? []));
});

test('a scope that there is not is refused at creation', async () => {
  for (const scopes of [['orders:delete'], [], ['orders:read', 'orders:read'], ['admin']]) {
    const { status } = await admin.call('POST', '/v1/api-keys', { body: { name: 'k', scopes } });
    expect([scopes, status]).toEqual([scopes, 400]);
  }
});
