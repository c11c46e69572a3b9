import { expect, test } from 'vitest';
import { freshKey, type Gateway, startGateway } from './harness.ts';
import { newPerson } from './people.ts';
import { addEndpoint, HOOK_URL } from './webhook-scene.ts';

const PATH = '/v1/webhook-endpoints';

/** Of what packages/webhooks holds against its guard, one of each kind. */
const PRIVATE = [
  'https://127.0.0.1/',
  'https://localhost/',
  'https://localhost./',
  'https://10.1.2.3/',
  'https://169.254.169.254/latest/meta-data/',
  'https://2130706433/',
  'https://0177.0.0.1/',
  'https://0x7f.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[64:ff9b::a9fe:a9fe]/',
  'https://[fd00::1]/',
  'https://0.0.0.0/',
  'https://printer.local/',
  'https://intranet/',
];
const NEVER = [
  'not a url',
  'ftp://93.184.215.14/',
  'https://user:password@93.184.215.14/',
  'javascript:alert(1)',
  'https://169.254.169.254/',
];

async function answersOf(gateway: Gateway, urls: readonly string[]): Promise<string[]> {
  const person = await newPerson(gateway, 'user');
  const { id } = await addEndpoint(person);
  const answers: string[] = [];
  for (const url of urls) {
    const created = await person.call('POST', PATH, { body: { url, eventTypes: ['*'] } });
    const changed = await person.call('PATCH', `${PATH}/${id}`, { body: { url } });
    for (const { status, body } of [created, changed]) {
      if (status === 422) expect(body.code).toBe('url_not_allowed');
      // A reason, and not what was found behind a name.
      if (status === 422) expect(body.detail).not.toMatch(/\d+\.\d+\.\d+|::/);
    }
    answers.push(`${url} ${created.status} ${changed.status}`);
    const left = await person.call('GET', `${PATH}/${id}`);
    if (changed.status !== 200) expect(left.body.url).not.toBe(url);
  }
  return answers;
}

test('a URL that leads inside, or is none, is refused at creation and at a change', async () => {
  const gateway = await startGateway();
  const urls = [...PRIVATE, ...NEVER, 'http://93.184.215.14/'];
  expect(await answersOf(gateway, urls)).toEqual(urls.map((url) => `${url} 422 422`));
  // The one that the person has is as it was.
  const endpoints = await gateway.db.webhookEndpoint.findMany();
  expect(endpoints.map(({ url }) => url)).toEqual([HOOK_URL]);
  expect(await gateway.db.event.count()).toBe(1);
});

test('an installation that allows it takes http and addresses of its own net', async () => {
  const gateway = await startGateway({ WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_ALLOW_HTTP: 'true' });
  const urls = [
    'http://127.0.0.1:9/',
    'https://10.1.2.3/',
    'http://93.184.215.14/',
    'http://[::1]/',
  ];
  expect(await answersOf(gateway, urls)).toEqual(urls.map((url) => `${url} 201 200`));
  const never = NEVER.slice(0, 4);
  expect(await answersOf(gateway, never)).toEqual(never.map((url) => `${url} 422 422`));
});

test('each of the two settings allows its own only', async () => {
  const [http, priv] = ['http://93.184.215.14/', 'https://127.0.0.1/'];
  const open = await startGateway({ WEBHOOK_ALLOW_HTTP: 'true' });
  expect(await answersOf(open, [http, priv])).toEqual([`${http} 201 200`, `${priv} 422 422`]);
  const near = await startGateway({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  expect(await answersOf(near, [http, priv])).toEqual([`${http} 422 422`, `${priv} 201 200`]);
});

test('an odd spelling of a host is kept as what it is', async () => {
  const gateway = await startGateway();
  const person = await newPerson(gateway, 'user');
  const { url } = await addEndpoint(person, { url: 'HTTPS://0x5DB8D70E/hooks' });
  expect(url).toBe(HOOK_URL);
});

test('a creation under a key is replayed wherever its URL leads by then', async () => {
  const trusting = await startGateway({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  const strict = await trusting.replica({ WEBHOOK_ALLOW_PRIVATE: 'false' });
  const person = await newPerson(trusting, 'user');
  const atStrict = person.at(strict);
  const body = { url: 'https://10.1.2.3/hooks', eventTypes: ['*'] };
  const headers = freshKey();
  const first = await person.call('POST', PATH, { body, headers });
  const again = await atStrict('POST', PATH, { body, headers });
  expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  const another = await atStrict('POST', PATH, { body, headers: freshKey() });
  expect([another.status, another.body.code]).toEqual([422, 'url_not_allowed']);
});
