import { until } from '@gatehouse/testing/condition';
import { beforeAll, expect, test } from 'vitest';
import { afterFile, type Client, freshKey, type Gateway, order, startGateway } from './harness.ts';
import { openRaw, rawAnswers } from './raw-http.ts';

let gateway: Gateway;
let client: Client;
beforeAll(async () => {
  gateway = await startGateway({ RATE_LIMIT_MAX: '0' }, afterFile);
  client = await gateway.client();
});

const POST_TASK = 'POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

test('what follows a request and is none is answered after it', async () => {
  const { 'idempotency-key': key } = freshKey();
  const body = JSON.stringify(order());
  const connection = openRaw(gateway.url);
  connection.send(
    [
      'POST /v1/orders HTTP/1.1',
      'Host: x',
      'Content-Type: application/json',
      `Authorization: Bearer ${client.token}`,
      `Idempotency-Key: ${key}`,
      `Content-Length: ${body.length}`,
      '',
      `${body}\0nonsense\r\n\r\n`,
    ].join('\r\n'),
  );
  await until(() => connection.isEnded(), { what: 'the connection to end' });
  expect(rawAnswers(connection.received()).map(({ status }) => status)).toEqual([201, 400]);
  expect(await gateway.db.order.count()).toBe(1);
});

test('requests that are sent at once are answered in their order', async () => {
  const requests = ['/health', '/v1/account', '/none', '/health'].map(
    (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${client.token}\r\n\r\n`,
  );
  const connection = openRaw(gateway.url);
  connection.send(requests.join(''));
  const answers = await until(
    () => {
      const received = rawAnswers(connection.received());
      return received.length === 4 ? received : null;
    },
    { what: 'four answers' },
  );
  expect(answers.map(({ status, body }) => body.code ?? status)).toEqual([
    200,
    200,
    'route_not_found',
    200,
  ]);
});

test('a body is asked for only once it is wanted', async () => {
  const expecting = (length: number, ...headers: string[]) =>
    `${POST_TASK}Expect: 100-continue\r\nContent-Length: ${length}\r\n${headers.join('\r\n')}\r\n\r\n`;
  const known = `Authorization: Bearer ${client.token}\r\n`.trimEnd();
  const statuses = async (bytes: string, body: string) => {
    const connection = openRaw(gateway.url);
    connection.send(bytes);
    await until(() => rawAnswers(connection.received()).length === 1, { what: 'a first answer' });
    connection.send(body);
    return until(
      () => {
        const received = rawAnswers(connection.received());
        const isOver = (received.at(-1)?.status ?? 0) >= 200;
        return isOver ? received.map(({ status, body: { code } }) => code ?? status) : null;
      },
      { what: 'a last answer' },
    );
  };
  const body = '{"title":"asked for"}';
  expect(await statuses(expecting(body.length, known), body)).toEqual([100, 201]);
  expect(await statuses(expecting(body.length, 'X-A: b'), '')).toEqual(['unauthorized']);
  expect(await statuses(expecting(2 ** 40, known), '')).toEqual(['body_too_large']);
});
