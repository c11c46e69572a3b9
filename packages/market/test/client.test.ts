import { inspect } from 'node:util';
import { BrokerUnavailable } from '@gatehouse/domain/broker';
import { until } from '@gatehouse/testing/condition';
import { closedUrl, type Script, scriptedServer } from '@gatehouse/testing/scripted-server';
import { describe, expect, test } from 'vitest';
import {
  ALWAYS,
  brokerOf,
  buy,
  clientOf,
  failureOf,
  fakeBroker,
  IMPATIENT,
  KEYS,
  patienceFor,
} from './parts.ts';

const READ = { method: 'GET', path: '/v2/account' } as const;
const OK: Script = { status: 200, body: { fine: true } };
const FAILING: Script = { status: 500 };

describe('a read', () => {
  test.each<[what: string, Script]>([
    ['fails', FAILING],
    ['breaks', 'break'],
    ['hangs', 'hang'],
  ])('that %s is sent again', async (_, script) => {
    const server = await scriptedServer(script, OK);
    const answer = await clientOf(server.url, { headersMs: 100, totalMs: 60_000 }).call(
      READ,
      ALWAYS,
    );
    expect([answer, server.requests.length]).toEqual([{ status: 200, body: { fine: true } }, 2]);
  });

  test('that keeps failing is sent three times', async () => {
    const server = await scriptedServer(FAILING);
    await failureOf(clientOf(server.url).call(READ, ALWAYS));
    expect(server.requests).toHaveLength(3);
  });

  test.each<[what: string, Script]>([
    ['asked to wait', { status: 503, headers: { 'retry-after': '1' } }],
    ['has sent too many', { status: 429 }],
    ['is refused', { status: 404 }],
  ])('that %s is not sent again', async (_, script) => {
    const server = await scriptedServer(script, OK);
    await clientOf(server.url)
      .call(READ, ALWAYS)
      .catch(() => undefined);
    expect(server.requests).toHaveLength(1);
  });

  test('has one time limit for all that it tries', async () => {
    const server = await scriptedServer('hang');
    const client = clientOf(server.url, { ...IMPATIENT, headersMs: 100, retries: 1_000 });
    expect((await failureOf(client.call(READ, ALWAYS))).name).toBe('BrokerUnavailable');
    expect(server.requests.length).toBeLessThan(4);
  });
});

test.each<[what: string, Script]>([
  ['headers', 'hang'],
  ['the rest of a body', 'stop'],
])('a call does not wait for %s until its time is up', async (_, script) => {
  const server = await scriptedServer(script);
  const client = clientOf(server.url, { headersMs: 100, bodyMs: 100, totalMs: 60_000 });
  const failure = await failureOf(client.call({ ...READ, method: 'DELETE' }, ALWAYS));
  expect([failure.name, failure.message]).toEqual([
    'OutcomeUnknown',
    expect.stringContaining('Timeout'),
  ]);
});

describe('the breaker', () => {
  const limits = { failures: 3, openMs: 100, retries: 0 };

  test.each<[what: string, Script]>([
    ['answers of 5xx', FAILING],
    ['time-outs', 'hang'],
    ['broken connections', 'break'],
  ])('opens after %s, and then nothing is sent', async (_, script) => {
    const server = await scriptedServer(script);
    const broker = brokerOf(server.url, { ...limits, ...patienceFor(script), openMs: 60_000 });
    for (let call = 0; call < 3; call += 1) {
      expect((await failureOf(broker.submit(buy('a'), ALWAYS))).name).toBe('OutcomeUnknown');
    }
    const failure = await failureOf(broker.submit(buy('a'), ALWAYS));
    expect([failure.name, failure.message]).toEqual([
      'BrokerUnavailable',
      expect.stringContaining('breaker'),
    ]);
    const wait = failure instanceof BrokerUnavailable ? failure.retryInMs : Number.NaN;
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60_000);
    expect(server.requests).toHaveLength(3);
  });

  test('opens when nobody listens', async () => {
    const broker = brokerOf(await closedUrl(), limits);
    for (let call = 0; call < 3; call += 1) await failureOf(broker.find('a', ALWAYS));
    expect((await failureOf(broker.find('a', ALWAYS))).message).toContain('breaker');
  });

  test.each([400, 401, 403, 404, 422, 429])(
    'stays closed whatever is answered %i',
    async (status) => {
      const server = await scriptedServer({ status });
      const broker = brokerOf(server.url, limits);
      for (let call = 0; call < 10; call += 1) await failureOf(broker.submit(buy('a'), ALWAYS));
      expect(server.requests).toHaveLength(10);
    },
  );

  test('counts failures in a row only', async () => {
    const server = await scriptedServer(FAILING, FAILING, OK, FAILING, FAILING, OK);
    const client = clientOf(server.url, limits);
    for (let call = 0; call < 6; call += 1) await client.call(READ, ALWAYS).catch(() => undefined);
    expect((await client.call(READ, ALWAYS)).status).toBe(200);
  });

  test('stays closed when callers give up', async () => {
    const server = await scriptedServer('hang');
    const client = clientOf(server.url, { ...limits, headersMs: 60_000, totalMs: 60_000 });
    for (let call = 1; call <= 5; call += 1) {
      const giveUp = new AbortController();
      const failure = failureOf(client.call({ ...READ, method: 'DELETE' }, giveUp.signal));
      await until(() => server.requests.length === call, { what: `request ${call}` });
      giveUp.abort();
      expect((await failure).name).toBe('OutcomeUnknown');
    }
  });

  test('stays open when the one that may try is given up', async () => {
    const server = await scriptedServer(FAILING);
    const client = clientOf(server.url, { ...limits, totalMs: 60_000, headersMs: 60_000 });
    const fail = (signal = ALWAYS) => failureOf(client.call(READ, signal));
    for (let call = 0; call < 3; call += 1) await fail();
    server.play('hang');
    const giveUp = new AbortController();
    const tries = until(async () => !(await fail(giveUp.signal)).message.includes('breaker'), {
      what: 'the one that may try',
    });
    await until(() => server.requests.length === 4, { what: 'it to arrive' });
    giveUp.abort();
    await tries;
    expect((await fail()).message).toContain('breaker');
    expect(server.requests).toHaveLength(4);
  });

  test('lets one try when its time is up: it opens again if that fails, and closes if not', async () => {
    const server = await scriptedServer(FAILING);
    const client = clientOf(server.url, limits);
    const fail = () => failureOf(client.call(READ, ALWAYS));
    for (let call = 0; call < 3; call += 1) await fail();
    await until(async () => (await fail()).message.includes('500'), {
      what: 'the one that may try',
    });
    expect(server.requests).toHaveLength(4);
    expect((await fail()).message).toContain('breaker');
    server.play(OK);
    await until(() => client.call(READ, ALWAYS), { what: 'the breaker to close' });
    server.play(FAILING);
    expect((await fail()).message).toContain('500');
    expect((await fail()).message).toContain('500');
  });
});

test('a broker that hangs is used again when it is back', async () => {
  const { alpaca, broker } = await fakeBroker({ ...IMPATIENT, failures: 2, openMs: 50 });
  alpaca.hang();
  expect((await failureOf(broker.submit(buy('a'), ALWAYS))).name).toBe('OutcomeUnknown');
  expect((await failureOf(broker.submit(buy('b'), ALWAYS))).name).toBe('OutcomeUnknown');
  expect((await failureOf(broker.submit(buy('c'), ALWAYS))).name).toBe('BrokerUnavailable');
  alpaca.resume();
  await until(() => broker.submit(buy('c'), ALWAYS), { what: 'an order to be taken' });
  expect(alpaca.orders().map(({ clientOrderId }) => clientOrderId)).toEqual(['c']);
});

test('no error says the keys, whatever goes wrong', async () => {
  const scripts: Script[] = ['hang', 'break', 'cut', FAILING, { status: 401 }, { status: 200 }];
  const failures = await Promise.all(
    scripts.map(async (script) => {
      const server = await scriptedServer(script);
      const broker = brokerOf(server.url, patienceFor(script));
      return failureOf(broker.submit(buy('a'), ALWAYS));
    }),
  );
  failures.push(await failureOf(brokerOf(await closedUrl()).submit(buy('a'), ALWAYS)));
  failures.push(
    await failureOf(
      brokerOf('http://x', {}, { ...KEYS, keyId: 'split\nkey-of-two-lines' }).find('a', ALWAYS),
    ),
  );
  const text = inspect(failures, { depth: null, showHidden: true });
  expect(text).toContain('Alpaca');
  for (const key of [...Object.values(KEYS), 'key-of-two-lines'])
    expect(text.toLowerCase()).not.toContain(key.toLowerCase());
});

test('a client that is closed leaves the outcome of what is under way unknown, and sends nothing more', async () => {
  const server = await scriptedServer('hang');
  const client = clientOf(server.url, { headersMs: 60_000, totalMs: 60_000 });
  const post = { method: 'POST', path: '/v2/orders', body: {} } as const;
  const underWay = failureOf(client.call(post, ALWAYS));
  await until(() => server.requests.length === 1, { what: 'the request to arrive' });
  await client.close();
  expect((await underWay).name).toBe('OutcomeUnknown');
  expect((await failureOf(client.call(post, ALWAYS))).name).toBe('BrokerUnavailable');
  expect(server.requests).toHaveLength(1);
});
