import { checkInvariants } from '@gatehouse/db/invariants';
import { setUserRole } from '@gatehouse/db/users';
import { until } from '@gatehouse/testing/condition';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { type OperationToCall, operations } from './fuzz/openapi.ts';
import { type Caller, type FuzzRequest, requests } from './fuzz/requests.ts';
import { type FuzzAnswer, send } from './fuzz/send.ts';
import { afterFile, type Client, freshKey, type Gateway, order, startGateway } from './harness.ts';
import { startStripe } from './stripe.ts';
import { addDelivery, addEndpoint, endDelivery } from './webhook-scene.ts';

/** Sets of requests that are sent at once. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
const AT_ONCE = 5;
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);

/** What a connection, or the router, answers before a request is one of an operation. */
const BEFORE_OPERATION = new Set([400, 404, 405, 408, 413, 417, 431]);

const LEAK =
  /\n\s*at |node_modules|prisma|postgres|\bat (file|async|\/)|\.ts:\d|\b(SELECT|INSERT|UPDATE) |stack|ajv/i;

let gateway: Gateway;
let all: OperationToCall[];
let user: Client;
let admin: Client;
let restrictedKey: string;
let ids: string[];
beforeAll(async () => {
  const { settings } = await startStripe(afterFile);
  gateway = await startGateway({ RATE_LIMIT_MAX: '0', ...settings }, afterFile);
  all = operations((await gateway.call('GET', '/openapi.json')).body);
  user = await gateway.client();
  admin = await gateway.client();
  const { email } = await gateway.db.user.findFirstOrThrow({
    where: { accountId: admin.accountId },
  });
  await setUserRole(gateway.db, email, 'admin');
  await until(async () => (await admin.call('GET', '/v1/admin/jobs')).status === 200, {
    what: 'the role to be known',
  });
  const made = await user.call('POST', '/v1/api-keys', {
    body: { name: 'restricted', scopes: ['orders:read', 'tasks:write'] },
  });
  restrictedKey = made.body.key;
  ids = await things();
});

/** The ids of one of each that may come to harm. */
async function things(): Promise<string[]> {
  const victim = await gateway.client();
  const { id } = await gateway.db.user.findFirstOrThrow({ where: { accountId: victim.accountId } });
  const made = [
    await user.call('POST', '/v1/tasks', { body: { title: 'a', dueAt: '2099-01-01T00:00:00Z' } }),
    await user.call('POST', '/v1/orders', { body: order(), headers: freshKey() }),
    await user.call('POST', '/v1/api-keys', { body: { name: 'spare' } }),
    await user.call('POST', '/v1/deposits', {
      body: { amount: 2500, currency: 'usd' },
      headers: freshKey(),
    }),
  ];
  const endpoint = await addEndpoint(user);
  const delivery = await addDelivery(gateway.db, user, endpoint.id);
  await endDelivery(gateway.db, delivery, 'failed');
  const jobs = await gateway.db.job.findMany({ select: { id: true } });
  return [
    id,
    endpoint.id,
    delivery,
    ...made.map(({ body }) => body.id),
    ...jobs.map((job) => job.id),
  ];
}

async function credential({ operation, caller }: FuzzRequest): Promise<string | null> {
  const credentials: Record<Caller, string | null> = {
    nobody: null,
    user: user.token,
    admin: admin.token,
    restricted: restrictedKey,
    forger: `${user.token.slice(0, -4)}AAAA`,
  };
  // It would be the end of the session of all requests that follow.
  const isLast = operation.path.endsWith('/logout');
  return isLast && caller !== 'nobody' ? (await gateway.client()).token : credentials[caller];
}

function assertAnswer({ operation }: FuzzRequest, { status, headers, text }: FuzzAnswer): void {
  expect(status).toBeLessThan(500);
  if (!BEFORE_OPERATION.has(status)) expect(operation.statuses).toContain(status);
  expect(headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-injected')).toBeNull();
  if (status < 400) return;
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  const problem = JSON.parse(text);
  expect(problem).toMatchObject({
    status,
    code: expect.stringMatching(/^[a-z_]+$/),
    requestId: headers.get('x-request-id'),
    type: `${gateway.config.PUBLIC_URL}/docs#${problem.code}`,
    title: expect.any(String),
    detail: expect.not.stringContaining('%s'),
  });
  expect(text).not.toMatch(LEAK);
}

test('whatever is sent is answered with what the API declares, and never with a 5xx', async () => {
  const answered = new Map<number, number>();
  const property = fc.asyncProperty(
    fc.array(requests(all, ids), { minLength: AT_ONCE, maxLength: AT_ONCE }),
    async (batch) => {
      const answers = await Promise.all(
        batch.map(async (request) => ({
          request,
          answer: await send(gateway.url, request, await credential(request)),
        })),
      );
      for (const { request, answer } of answers) {
        answered.set(answer.status, (answered.get(answer.status) ?? 0) + 1);
        assertAnswer(request, answer);
      }
    },
  );
  // A failure prints its seed: `FUZZ_SEED=… FUZZ_RUNS=…` runs it again.
  await fc.assert(property, { seed: SEED, numRuns: RUNS });

  // It is no test of refusals alone.
  const total = RUNS * AT_ONCE;
  const share = (...statuses: number[]): number =>
    statuses.reduce((sum, status) => sum + (answered.get(status) ?? 0), 0) / total;
  expect(share(200, 201, 202, 204)).toBeGreaterThan(0.05);
  expect(share(400)).toBeGreaterThan(0.1);
  expect(share(401)).toBeGreaterThan(0.05);
  expect(share(403)).toBeGreaterThan(0.02);
  // Those who asked are still who they were.
  expect((await user.call('GET', '/v1/account')).status).toBe(200);
  expect((await admin.call('GET', '/v1/admin/jobs')).status).toBe(200);
  const broken = (await checkInvariants(gateway.db)).filter(
    ({ violations }) => violations.length > 0,
  );
  expect(broken).toEqual([]);
}, 600_000);
