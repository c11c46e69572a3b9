import { until } from '@gatehouse/testing/condition';
import { startTcpProxy } from '@gatehouse/testing/tcp-proxy';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Gateway, startGateway } from './harness.ts';
import { openRaw, rawAnswers } from './raw-http.ts';
import { deliver, eventText, nowSeconds, PATH, SECRET, sign } from './stripe-events.ts';

const SIGNED = { STRIPE_WEBHOOK_SECRETS: SECRET };
const FORGED = { 'stripe-signature': sign('something else') };

/** A transaction on a machine that has much to do. */
const HELD = { timeout: 30_000 };

const countsOf = async ({ db }: Gateway) => [await db.stripeEvent.count(), await db.job.count()];

test('only what is not signed well is counted, per address, and what is signed well is always taken', async () => {
  const settings = { ...SIGNED, STRIPE_WEBHOOK_REJECTS_MAX: '5', TRUST_PROXY: 'loopback' };
  const gateway = await startGateway(settings);
  const from = (address: string, headers?: Record<string, string>) => {
    const body = eventText();
    const signature = headers ?? { 'stripe-signature': sign(body) };
    return deliver(gateway, body, { ...signature, 'x-forwarded-for': address });
  };
  const good = await Promise.all(Array.from({ length: 30 }, () => from('192.0.2.1')));
  expect(new Set(good.map(({ status }) => status))).toEqual(new Set([200]));
  // Signed well, and no event: nobody who has no secret can do that.
  for (let count = 0; count < 8; count += 1) {
    const headers = { 'stripe-signature': sign('[]'), 'x-forwarded-for': '192.0.2.1' };
    expect((await deliver(gateway, '[]', headers)).body.code).toBe('stripe_event_invalid');
  }
  const statuses: number[] = [];
  for (let count = 0; count < 7; count += 1) {
    statuses.push((await from('192.0.2.1', FORGED)).status);
  }
  expect(statuses).toEqual([400, 400, 400, 400, 400, 429, 429]);
  const { status, headers, body } = await from('192.0.2.1', FORGED);
  expect([status, body.code]).toEqual([429, 'rate_limited']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expect((await from('192.0.2.2', FORGED)).status).toBe(400);
  expect((await from('192.0.2.2')).status).toBe(200);
  expect((await from('192.0.2.1')).status).toBe(200);
  expect(await countsOf(gateway)).toEqual([32, 32]);

  // Of an IPv6 network each address is the same sender.
  for (let count = 0; count < 5; count += 1) {
    expect((await from(`2001:db8::${count}`, FORGED)).status).toBe(400);
  }
  expect((await from('2001:db8::ffff', FORGED)).status).toBe(429);
  expect((await from('2001:db8:0:1::1', FORGED)).status).toBe(400);
});

test('beyond the budget nothing is read whose headers say that it is not signed well', async () => {
  const gateway = await startGateway({ ...SIGNED, STRIPE_WEBHOOK_REJECTS_MAX: '1' });
  expect((await deliver(gateway, eventText(), FORGED)).status).toBe(400);
  const body = eventText();
  const stale = sign(body, SECRET, nowSeconds() - 400);
  const twice = `${sign(body)}\r\nStripe-Signature: ${sign(body)}`;
  for (const signature of [null, 'malformed', stale, twice]) {
    const connection = openRaw(gateway.url);
    const signed = signature === null ? [] : [`Stripe-Signature: ${signature}`];
    const lines = [`POST ${PATH} HTTP/1.1`, 'Host: x', ...signed, `Content-Length: ${body.length}`];
    connection.send(`${lines.join('\r\n')}\r\n\r\n`);
    const answered = () => rawAnswers(connection.received())[0];
    const what = `an answer before the body to ${signature}`;
    expect([signature, (await until(answered, { what })).status]).toEqual([signature, 429]);
  }
  expect((await deliver(gateway, body)).status).toBe(200);
});

test('the log says why requests are refused, once a second', async () => {
  const gateway = await startGateway(SIGNED);
  const warn = vi.spyOn(gateway.app.log, 'warn');
  for (let count = 0; count < 5; count += 1) await deliver(gateway, eventText(), FORGED);
  await deliver(gateway, eventText(), {});
  await deliver(gateway, '[]');
  await deliver(gateway, eventText());
  await gateway.app.close();
  const reasons = warn.mock.calls.map(([details]) => Object(details).reasons);
  expect(warn.mock.calls.length).toBeLessThanOrEqual(3);
  const sum = (reason: string) => reasons.reduce((all, one) => all + (one[reason] ?? 0), 0);
  expect(new Set(reasons.flatMap(Object.keys)).size).toBe(3);
  expect([
    sum('No signature is of this body and a secret that is known here'),
    sum('The header Stripe-Signature is missing'),
    sum('The body is signed well, and no event'),
  ]).toEqual([5, 1, 1]);
});

test('without a limit nobody is turned away, without secrets everybody is', async () => {
  const gateway = await startGateway({ STRIPE_WEBHOOK_REJECTS_MAX: '0' });
  const answers = await Promise.all(
    ['whsec_', SECRET, ' ', 'undefined'].flatMap((secret) =>
      Array.from({ length: 10 }, () => {
        const body = eventText();
        return deliver(gateway, body, { 'stripe-signature': sign(body, secret) });
      }),
    ),
  );
  for (const { status, body } of answers) {
    expect([status, body.code]).toEqual([400, 'stripe_signature_invalid']);
  }
  expect(await countsOf(gateway)).toEqual([0, 0]);
});

test('without Redis events are stored and answered all the same, their jobs wait', async () => {
  const gateway = await startGateway(SIGNED);
  gateway.app.redis.disconnect();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      deliver(gateway, eventText({ id: `evt_${index % 10}` })),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await countsOf(gateway)).toEqual([10, 10]);
  const jobs = await gateway.db.job.findMany();
  expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['waiting']));
});

test('without Postgres a delivery is a 503, what is not signed a 400, and a later one is stored', async () => {
  const direct = await startGateway(SIGNED);
  const proxy = await startTcpProxy(direct.databaseUrl);
  onTestFinished(proxy.close);
  const gateway = await direct.replica({ DATABASE_URL: proxy.url });
  const body = eventText();
  proxy.cut();
  const answers = await Promise.all(Array.from({ length: 5 }, () => deliver(gateway, body)));
  for (const { status, headers, body: problem } of answers) {
    expect([status, problem.code]).toEqual([503, 'service_unavailable']);
    expect(headers.get('retry-after')).toBe('2');
  }
  expect((await deliver(gateway, body, FORGED)).status).toBe(400);
  expect(await countsOf(direct)).toEqual([0, 0]);
  proxy.heal();
  await until(async () => (await deliver(gateway, body)).status === 200, {
    what: 'the database to be there again',
  });
  expect(await countsOf(direct)).toEqual([1, 1]);
});

test('deliveries that share a commit are answered each, and stored once', async () => {
  const gateway = await startGateway(SIGNED);
  // While the table is locked they gather: the first commit has one of them, the next all others.
  const answers = await gateway.db.$transaction(async (tx) => {
    await tx.$executeRaw`LOCK TABLE stripe_event IN EXCLUSIVE MODE`;
    const sent = Array.from({ length: 60 }, (_, index) =>
      deliver(gateway, eventText({ id: `evt_${index % 7}`, note: index })),
    );
    await until(() => lockWaiter(gateway), { what: 'a statement to wait for the table' });
    return { sent };
  }, HELD);
  const statuses = (await Promise.all(answers.sent)).map(({ status }) => status);
  expect(statuses).toEqual(Array(60).fill(200));
  expect(await countsOf(gateway)).toEqual([7, 7]);
});

async function lockWaiter({ db }: Gateway): Promise<boolean> {
  const waiters = await db.$queryRaw<unknown[]>`
    SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'stripe_event'::regclass`;
  return waiters.length === 1;
}
