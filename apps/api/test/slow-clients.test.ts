import { until } from '@gatehouse/testing/condition';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { afterFile, type Client, type Gateway, startGateway } from './harness.ts';
import { openRaw, type RawConnection, rawAnswers } from './raw-http.ts';

let gateway: Gateway;
let client: Client;
beforeAll(async () => {
  gateway = await startGateway(
    { RATE_LIMIT_MAX: '0', HEADERS_TIMEOUT_SECONDS: '1', REQUEST_TIMEOUT_SECONDS: '2' },
    afterFile,
  );
  client = await gateway.client();
});

/** Sends a piece every 100 ms, until the test is over. */
function drip(connection: RawConnection, piece: string): void {
  const timer = setInterval(() => connection.send(piece), 100);
  onTestFinished(() => clearInterval(timer));
}

const START = 'POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

test.each<[string, string, (token: string) => string, string]>([
  ['sends nothing', '', () => '', ''],
  ['sends half a request line', 'POST /v1/ta', () => '', ''],
  ['drips header after header', START, () => '', 'X-A: b\r\n'],
  ['drips a header', START, () => 'X-A: ', 'a'],
  [
    'drips a body',
    START,
    (token) => `Authorization: Bearer ${token}\r\nContent-Length: 100000\r\n\r\n{"title":"`,
    'a',
  ],
  [
    'drips chunks that never end',
    START,
    (token) =>
      `Authorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"title":\r\n`,
    '1\r\n \r\n',
  ],
  [
    'announces a body and is silent',
    START,
    (token) => `Authorization: Bearer ${token}\r\nContent-Length: 10\r\n\r\n`,
    '',
  ],
])(
  'a client who %s is told 408 and cut off; others are served meanwhile',
  async (_, start, rest, piece) => {
    const connection = openRaw(gateway.url);
    connection.send(start + rest(client.token));
    if (piece !== '') drip(connection, piece);
    const served = await client.call('GET', '/v1/tasks');
    expect(served.status).toBe(200);
    expect(rawAnswers(connection.received())).toEqual([]);
    await until(() => connection.isEnded(), { what: 'the slow client to be cut off' });
    const [answer, ...others] = rawAnswers(connection.received());
    expect([answer?.status, answer?.body.code]).toEqual([408, 'request_timeout']);
    expect(answer?.headers.get('connection')).toBe('close');
    expect(others).toEqual([]);
    await until(() => connection.socket.destroyed, { what: 'the connection to be gone' });
    expect(await gateway.db.task.count()).toBe(0);
  },
);

test('a client whose request is refused early and who drips its body is cut off without a second answer', async () => {
  const connection = openRaw(gateway.url);
  connection.send(`${START}Content-Length: 100000\r\n\r\n{`);
  drip(connection, ' ');
  await until(() => connection.isEnded(), { what: 'the slow client to be cut off' });
  expect(rawAnswers(connection.received()).map(({ status }) => status)).toEqual([401]);
});

test('a handler may take longer than its request may take to arrive', async () => {
  const { id } = (await client.call('POST', '/v1/tasks', { body: { title: 'held' } })).body;
  const { answer } = await gateway.db.$transaction(
    async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM task WHERE id = ${id}::uuid FOR UPDATE`;
      const answer = client.call('PATCH', `/v1/tasks/${id}`, { body: { title: 'changed' } });
      // Begun later, and cut off: the time of the request before it is over.
      const slow = openRaw(gateway.url);
      slow.send(`${START}Authorization: Bearer ${client.token}\r\nContent-Length: 9\r\n\r\n`);
      await until(() => slow.isEnded(), { what: 'the slow client to be cut off' });
      return { answer };
    },
    { timeout: 20_000 },
  );
  expect(await answer).toMatchObject({ status: 200, body: { title: 'changed' } });
});
