import { generateKeyPairSync } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { until } from '@gatehouse/testing/condition';
import { decodeProtectedHeader } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { rotate, rotationByRestarts } from '../src/auth/key-rotation.ts';
import {
  type KeyFile,
  keysOf,
  parseKeyFile,
  parseKeyList,
  signerAt,
  verifiersAt,
} from '../src/auth/signing-keys.ts';
import { type Gateway, startGateway } from './harness.ts';
import { entry, testKeyFile } from './key-file.ts';
import { bearer, newPerson, type Person } from './people.ts';

const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? '';

async function publishedBy({ call }: Gateway): Promise<string[]> {
  const { body } = await call('GET', '/.well-known/jwks.json');
  return body.keys.map(({ kid }: { kid: string }) => kid);
}

const statusOf = async ({ call }: Gateway, token: string) =>
  (await bearer(call, token)('GET', '/v1/orders')).status;

const newToken = async (person: Person) => (await person.again()).token;

test('of the keys whose time has come the last signs, and all that are not retired verify', () => {
  const now = Date.now();
  const file = {
    keys: [
      entry({ signs: -300, retires: -1 }),
      entry({ signs: -200, retires: 60 }),
      entry({ signs: -100 }),
      entry({ signs: 100 }),
    ],
  };
  const keys = keysOf(file, now);
  const signer = (seconds: number) => {
    const key = signerAt(keys, now + seconds * 1_000);
    return key && keys.indexOf(key);
  };
  const verifiers = (seconds: number) =>
    verifiersAt(keys, now + seconds * 1_000).map((key) => keys.indexOf(key));
  expect([-250, -150, 0, 101].map(signer)).toEqual([0, 1, 2, 3]);
  expect(signer(-400)).toBeUndefined();
  expect(verifiers(0)).toEqual([1, 2, 3]);
  expect(verifiers(61)).toEqual([2, 3]);
});

test('of a list the first signs, and all verify', () => {
  const [one, other] = [entry().key, entry().key];
  const keys = parseKeyList(`${one}, ${other}`);
  expect(signerAt(keys, Date.now())).toBe(keys[0]);
  expect(verifiersAt(keys, Date.now())).toEqual(keys);
  const [published, signing, alone] = rotationByRestarts(one);
  const kids = (list: string) => parseKeyList(list).map(({ kid }) => kid);
  const [old, added] = kids(published);
  expect([kids(signing), kids(alone)]).toEqual([[added, old], [added]]);
});

const good = entry();
const forAnotherUse = generateKeyPairSync('x25519')
  .privateKey.export({ format: 'der', type: 'pkcs8' })
  .toString('base64');

test.each<[string, string | KeyFile, RegExp]>([
  ['nothing', '', /not JSON/],
  ['half of it', '{"keys": [', /not JSON/],
  ['a list', '[]', /object/],
  ['no key', { keys: [] }, /no key signs/],
  ['a key that is none', { keys: [{ ...good, key: 'bm8=' }] }, /Ed25519/],
  ['a key of another kind', { keys: [{ ...good, key: forAnotherUse }] }, /Ed25519/],
  ['a key twice', { keys: [good, { ...good, retiresAt: null }] }, /twice/],
  ['no time', JSON.stringify({ keys: [{ key: good.key, retiresAt: null }] }), /signsFrom/],
  ['a time that is none', { keys: [{ ...good, signsFrom: 'now' }] }, /signsFrom/],
  ['more than is known', JSON.stringify({ keys: [{ ...good, kid: 'x' }] }), /\/keys\/0/],
  ['a key that signs only later', { keys: [entry({ signs: 60 })] }, /no key signs/],
  ['a gap', { keys: [entry({ retires: 60 }), entry({ signs: 61 })] }, /no key signs/],
  ['an end', { keys: [entry({ retires: 60 })] }, /no key signs/],
])('a file with %s is refused, and no message repeats a key', (_, content, message) => {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const read = () => keysOf(parseKeyFile(text), Date.now());
  expect(read).toThrow(message);
  expect(read).not.toThrow(good.key.slice(20));
});

test('a rotation publishes, signs, and retires the others when their tokens are gone', () => {
  const now = Date.now();
  const before = { keys: [entry({ signs: -900, retires: -1 }), entry({ retires: 30 }), entry()] };
  const { file } = rotate(before, now, 60);
  const seconds = file.keys.map(({ signsFrom, retiresAt }) =>
    [signsFrom, retiresAt].map((at) => at && Math.round((Date.parse(at) - now) / 1_000)),
  );
  // 60 until it signs, 900 that a token is good, 60 for clocks that differ.
  expect(seconds).toEqual([
    [-60, 30],
    [-60, 1_020],
    [60, null],
  ]);
  expect(file.keys.slice(0, 2).map(({ key }) => key)).toEqual(
    before.keys.slice(1).map(({ key }) => key),
  );
  // Another one, before the first signs: the later key is the one that stays.
  const again = rotate(file, now, 3).file;
  const [last] = again.keys.slice(-1);
  const keys = keysOf(again, now);
  expect(signerAt(keys, now + 3_600_000)).toBe(keys.at(-1));
  expect(last?.retiresAt).toBeNull();
});

test('keys are rotated while a client logs in and calls, and no request fails', {
  timeout: 90_000,
}, async () => {
  const file = testKeyFile();
  const gateway = await startGateway({ ...file.settings, RATE_LIMIT_MAX: '0' });
  const replica = await gateway.replica();
  const person = await newPerson(gateway, 'user');
  const [oldKid] = await publishedBy(gateway);
  const { token: oldToken } = person;
  expect(kidOf(oldToken)).toBe(oldKid);

  const failures: string[] = [];
  let latest = oldToken;
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      latest = await newToken(person);
      for (const token of [latest, oldToken]) {
        for (const one of [gateway, replica]) {
          const status = await statusOf(one, token);
          if (status !== 200) failures.push(`${kidOf(token)} ${status}`);
        }
      }
    }
  };
  const running = client();
  onTestFinished(() => {
    isOver = true;
  });
  expect(await file.rotate('--lead', '6')).toContain(oldKid);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  await until(async () => (await publishedBy(replica)).length === 2, {
    what: 'the key to be published',
  });
  // Published first: it does not sign yet.
  expect(kidOf(latest)).toBe(oldKid);
  await until(() => kidOf(latest) !== oldKid, { timeoutMs: 30_000, what: 'the new key to sign' });
  const newKid = kidOf(latest);
  const seen = latest;
  await until(() => latest !== seen, { what: 'another round' });
  isOver = true;
  await running;
  expect(failures).toEqual([]);
  expect(await publishedBy(gateway)).toEqual([oldKid, newKid]);

  // Its time is brought forward, as nobody waits for a quarter of an hour here.
  const [old, ...others] = file.read().keys;
  if (old === undefined) throw new Error('the file has no key');
  const retiresAt = new Date(Date.now() + 3_000).toISOString();
  file.write({ keys: [{ ...old, retiresAt }, ...others] });
  for (const one of [gateway, replica]) {
    await until(async () => !(await publishedBy(one)).includes(oldKid ?? ''), {
      what: 'the old key to go',
    });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(retiresAt));
    // Though it was verified a moment ago.
    expect([await statusOf(one, oldToken), await statusOf(one, latest)]).toEqual([401, 200]);
  }
});

test('a file that is broken, or gone, changes nothing until it is mended', async () => {
  const first = entry();
  const file = testKeyFile({ keys: [first] });
  const gateway = await startGateway(file.settings);
  const person = await newPerson(gateway, 'user');
  const [kid] = await publishedBy(gateway);
  const { log } = gateway.app;
  const complaints: unknown[] = [];
  log.error = (...args: unknown[]) => void complaints.push(args.at(-1));
  const breakings = [
    () => file.write('{'),
    () => file.write({ keys: [] }),
    () => rmSync(file.path),
  ];
  for (const [index, breakIt] of breakings.entries()) {
    breakIt();
    await until(() => complaints.length === index + 1, { what: 'it to be logged' });
    expect(await publishedBy(gateway)).toEqual([kid]);
    expect(await statusOf(gateway, await newToken(person))).toBe(200);
  }
  const second = entry({ signs: -1 });
  file.write({ keys: [first, second] });
  await until(async () => (await publishedBy(gateway)).length === 2, {
    what: 'the mended file to be read',
  });
  expect(kidOf(await newToken(person))).not.toBe(kid);
  // Once each, and not at every look.
  expect(complaints).toHaveLength(3);
});

test('a start with both settings, with neither, or with a bad file says so in one line', async () => {
  const file = testKeyFile('{');
  const { settings, path } = file;
  await expect(startGateway(settings)).rejects.toThrow(/^AUTH_SIGNING_KEYS_FILE: [^\n]*$/);
  await expect(
    startGateway({ ...settings, AUTH_SIGNING_KEYS_FILE: `${path}.none` }),
  ).rejects.toThrow(/^AUTH_SIGNING_KEYS_FILE: [^\n]*ENOENT[^\n]*$/);
  await expect(startGateway({ AUTH_SIGNING_KEYS: 'bm8=' })).rejects.toThrow(
    /^AUTH_SIGNING_KEYS: [^\n]*$/,
  );
  const both = /^[^\n]*AUTH_SIGNING_KEYS\b[^\n]*AUTH_SIGNING_KEYS_FILE[^\n]*$/;
  await expect(startGateway({ AUTH_SIGNING_KEYS_FILE: path })).rejects.toThrow(both);
  await expect(startGateway({ AUTH_SIGNING_KEYS: '' })).rejects.toThrow(both);
});

test('the public keys may be kept for a minute, and hold nothing private', async () => {
  const gateway = await startGateway();
  const { headers, body } = await gateway.call('GET', '/.well-known/jwks.json');
  expect(headers.get('cache-control')).toBe('public, max-age=60');
  expect(body.keys).toEqual([
    {
      kty: 'OKP',
      crv: 'Ed25519',
      alg: 'EdDSA',
      use: 'sig',
      kid: expect.stringMatching(/^[\w-]{16}$/),
      x: expect.stringMatching(/^[\w-]{43}$/),
    },
  ]);
});
