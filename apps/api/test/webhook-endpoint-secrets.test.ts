import { createSecretBox } from '@gatehouse/domain/secret-box';
import { webhookSecretKeys } from '@gatehouse/webhooks/settings';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../src/app.ts';
import { afterFile, freshKey, type Gateway, call as send, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { addEndpoint, HOOK_URL, publish } from './webhook-scene.ts';

const PATH = '/v1/webhook-endpoints';
const DAY_MS = 86_400_000;

let gateway: Gateway;
let ada: Person;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  ada = await newPerson(gateway, 'user');
});

const stored = (id: string) => gateway.db.webhookEndpoint.findUniqueOrThrow({ where: { id } });
const rotate = (id: string, body?: object, headers = {}) =>
  ada.call('POST', `${PATH}/${id}/rotate-secret`, { ...(body && { body }), headers });

/** The secrets that requests are signed with by what is stored: the second one for so many milliseconds. */
async function secretsOf(id: string) {
  const box = createSecretBox(webhookSecretKeys(gateway.config));
  const { sealedSecret, previousSealedSecret, previousSecretExpiresAt } = await stored(id);
  return {
    current: box.open(sealedSecret, id),
    previous: previousSealedSecret && box.open(previousSealedSecret, id),
    overlapMs: previousSecretExpiresAt && previousSecretExpiresAt.getTime() - Date.now(),
  };
}

test('what is stored opens to what was shown, for this endpoint alone', async () => {
  const [one, other] = [await addEndpoint(ada), await addEndpoint(ada)];
  expect(one.secret).not.toBe(other.secret);
  expect(await secretsOf(one.id)).toEqual({ current: one.secret, previous: null, overlapMs: null });
  const box = createSecretBox(webhookSecretKeys(gateway.config));
  const { sealedSecret } = await stored(one.id);
  expect(() => box.open(sealedSecret, other.id)).toThrow();
});

test('a rotation leaves the secret of before for a day, or as long as is asked for', async () => {
  const { id, secret: first } = await addEndpoint(ada);
  const rotated = await rotate(id);
  expect(rotated.status).toBe(200);
  const { secret: second, ...endpoint } = rotated.body;
  expect(second).not.toBe(first);
  const read = await ada.call('GET', `${PATH}/${id}`);
  expect(endpoint).toEqual(read.body);
  expect(rotated.headers.get('etag')).toBe(read.headers.get('etag'));
  const afterFirst = await secretsOf(id);
  expect(afterFirst).toMatchObject({ current: second, previous: first });
  expect(Math.abs(Number(afterFirst.overlapMs) - DAY_MS)).toBeLessThan(60_000);

  const { secret: third } = (await rotate(id, { overlapSeconds: 604_800 })).body;
  const afterSecond = await secretsOf(id);
  expect(afterSecond).toMatchObject({ current: third, previous: second });
  expect(Math.abs(Number(afterSecond.overlapMs) - 7 * DAY_MS)).toBeLessThan(60_000);

  const { secret: fourth } = (await rotate(id, { overlapSeconds: 0 })).body;
  expect(await secretsOf(id)).toEqual({ current: fourth, previous: null, overlapMs: null });
  expect((await rotate(id, { overlapSeconds: 604_801 })).status).toBe(400);
  expect((await rotate(id, { overlapSeconds: -1 })).status).toBe(400);
});

test('a rotation under the same key is one, and shows its secret again', async () => {
  const { id, secret: first } = await addEndpoint(ada);
  const key = freshKey();
  const [once, twice] = [await rotate(id, {}, key), await rotate(id, {}, key)];
  expect(twice.text).toBe(once.text);
  expect(await secretsOf(id)).toMatchObject({ current: once.body.secret, previous: first });
});

test('two rotations at once leave the secret of the one for the one before', async () => {
  const { id, secret: first } = await addEndpoint(ada);
  const answers = await Promise.all([rotate(id, {}), rotate(id, {})]);
  const secrets = answers.map(({ body }) => body.secret);
  const { current, previous } = await secretsOf(id);
  expect([current, previous].sort()).toEqual(secrets.sort());
  expect(secrets).not.toContain(first);
});

test('a deletion overwrites what was stored of secrets', async () => {
  const { id } = await addEndpoint(ada);
  await rotate(id);
  await ada.call('DELETE', `${PATH}/${id}`);
  const { sealedSecret, previousSealedSecret, previousSecretExpiresAt } = await stored(id);
  expect([sealedSecret.length, previousSealedSecret, previousSecretExpiresAt]).toEqual([
    0,
    null,
    null,
  ]);
});

test('secrets are in the answers that show them and nowhere else: no other answer, no table, no log, no Redis', async () => {
  const lines: string[] = [];
  const app = await buildApp(gateway.config, {
    level: 'trace',
    stream: { write: (line: string) => lines.push(line) },
  });
  onTestFinished(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const call = ada.at({ call: (method, path, options = {}) => send(url + path, method, options) });
  const made = await call('POST', PATH, {
    body: { url: HOOK_URL, eventTypes: ['*'] },
    headers: freshKey(),
  });
  const path = `${PATH}/${made.body.id}`;
  const rotated = await call('POST', `${path}/rotate-secret`, { body: {}, headers: freshKey() });
  const secrets = [made.body.secret, rotated.body.secret];
  const others = [
    await call('GET', path),
    await call('GET', PATH),
    await call('PATCH', path, { body: { description: 'a' }, headers: freshKey() }),
    await call('POST', `${path}/test`),
    await call('POST', `${path}/rotate-secret`, { body: { overlapSeconds: -1 } }),
  ];
  await publish(gateway.db);
  const tables = await gateway.db.$queryRaw<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
  const contents: string[] = others.map(({ text }) => text);
  for (const { name } of tables) {
    const rows = await gateway.db.$queryRawUnsafe<{ row: string }[]>(
      `SELECT t::text AS row FROM "${name}" t`,
    );
    contents.push(...rows.map(({ row }) => row));
  }
  expect(tables.length).toBeGreaterThan(20);
  expect(contents.join('\n')).toContain(made.body.id);
  const redis = gateway.app.redis;
  for (const key of await redis.keys('*')) {
    const dump = await redis.dumpBuffer(key);
    contents.push(dump?.toString('latin1') ?? '');
  }
  expect(lines.join('')).toContain(made.body.id);
  const everything = [...contents, ...lines].join('\n');
  for (const secret of secrets) {
    const bare = secret.replace(/^whsec_/, '');
    const bytes = Buffer.from(bare, 'base64');
    // As text, and as a bytea is shown.
    for (const spelling of [bare, bytes.toString('hex'), Buffer.from(secret).toString('hex')]) {
      expect(everything.includes(spelling)).toBe(false);
    }
  }
});
