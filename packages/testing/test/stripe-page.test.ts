import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../src/condition.ts';
import { listen } from '../src/listen.ts';
import { createDemoAccount } from '../src/stripe/demo-account.ts';
import { createPageHandler } from '../src/stripe/page-handler.ts';
import { startWithReceiver } from './stripe-setup.ts';

/** Answers as a gateway would, and remembers what it was asked. */
async function startGateway(answers: Record<string, { status: number; body: object }>) {
  const asked: { route: string; headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const route = `${request.method} ${request.url}`;
    asked.push({ route, headers: request.headers, body: await text(request) });
    const { status, body } = answers[route] ?? { status: 404, body: {} };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const port = await listen(server);
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(close);
  return { apiUrl: `http://127.0.0.1:${port}`, asked, close };
}

async function startPage() {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-fake-stripe-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const stackFile = join(dir, 'stack.json');
  const running = await startWithReceiver({
    page: (fake) => createPageHandler(fake, createDemoAccount(stackFile)),
  });
  const { url } = running.fake;
  const press = async (action: string, fields: Record<string, string>, origin = url) => {
    const body = new URLSearchParams(fields);
    const init = { method: 'POST', headers: { origin }, body, redirect: 'manual' } as const;
    const response = await fetch(`${url}/page/${action}`, init);
    return { status: response.status, text: await response.text() };
  };
  const isUp = (apiUrl: string) =>
    writeFileSync(stackFile, JSON.stringify({ apiUrl, demo: { user: { apiKey: 'gh_demo' } } }));
  return { ...running, press, isUp, page: async () => (await fetch(url)).text() };
}

const ACCOUNT = { cash: '100.00', buyingPower: '80.00', owed: '20.00' };

test('shows the balance of the demo user, and makes his deposits once for each form', async () => {
  const { page, press, isUp } = await startPage();
  const { apiUrl, asked } = await startGateway({
    'GET /v1/account': { status: 200, body: ACCOUNT },
    'POST /v1/deposits': { status: 201, body: {} },
  });
  isUp(apiUrl);
  const text = await page();
  expect(text).toMatch(
    /cash<\/dt><dd>\$100\.00<.*power<\/dt><dd>\$80\.00<.*owed<\/dt><dd>\$20\.00</,
  );
  const key = /name="key" value="([^"]+)"/.exec(text)?.[1] ?? '';
  expect(await page()).not.toContain(key);

  const foreign = await press('deposit', { key, amount: '2500' }, 'http://evil.example');
  expect(foreign.status).toBe(403);
  expect((await press('deposit', { key, amount: '2500' })).status).toBe(303);
  const deposits = asked.filter(({ route }) => route === 'POST /v1/deposits');
  expect(deposits.map(({ body }) => JSON.parse(body))).toEqual([{ amount: 2500, currency: 'usd' }]);
  expect(deposits[0]?.headers).toMatchObject({
    'idempotency-key': key,
    authorization: 'Bearer gh_demo',
  });
});

test('says why Gatehouse shows nothing, and goes on without it', async () => {
  const { page, press, isUp, create } = await startPage();
  const { id } = await create();
  expect(await page()).toContain('Gatehouse is not up (yet).');
  const { apiUrl, close } = await startGateway({
    'POST /v1/deposits': {
      status: 400,
      body: {
        detail: 'Not <so>.',
        errors: [{ pointer: '/amount', code: 'minimum', message: 'must be >= 50' }, {}],
      },
    },
  });
  isUp(apiUrl);
  const refused = await press('deposit', { key: 'key', amount: '1' });
  expect([refused.status, refused.text]).toEqual([
    422,
    expect.stringContaining(
      '<p role="alert">Gatehouse answered 400: Not &lt;so&gt;. (/amount must be &gt;= 50)</p>',
    ),
  ]);
  expect(refused.text).toContain('Gatehouse answered 404: without a reason');
  close();
  expect(await page()).toContain(`Gatehouse does not answer at ${apiUrl}.`);
  expect((await press('pay', { id })).status).toBe(303);
  expect(await page()).toContain('class="succeeded">succeeded');
});

test('says of each payment what became of its events, and lets a refund fail', async () => {
  const { page, press, fake, create, answerNext } = await startPage();
  fake.plan('charge.succeeded', 'dropped');
  const [one, other] = [await create(1_000), await create(2_000)];
  await until(() => fake.events().every((event) => event.pending_webhooks === 0), {
    what: 'the deliveries',
  });
  fake.pay(one.id);
  await until(() => fake.events().at(-1)?.pending_webhooks === 0, { what: 'the delivery' });
  const section = async (id: string) =>
    (await page()).split('<section>').find((part) => part.includes(`>${id} `)) ?? '';
  const fates = async (id: string) =>
    [...(await section(id)).matchAll(/<td>([\w.]+)<\/td>.*\n<td>(.*?)<\/td>/g)].map(
      ([, type, fate]) => `${type} ${fate?.replace(/<[^>]*>/g, '')}`,
    );
  expect(await fates(one.id)).toEqual([
    'payment_intent.created delivered (200)',
    'charge.succeeded not delivered',
    'payment_intent.succeeded delivered (200)',
  ]);
  expect(await fates(other.id)).toEqual(['payment_intent.created delivered (200)']);

  answerNext(503);
  const dropped = fake.events().find(({ type }) => type === 'charge.succeeded')?.id ?? '';
  expect((await press('deliver', { id: dropped })).status).toBe(303);
  expect(await fates(one.id)).toContain('charge.succeeded not delivered (503)');
  expect((await press('deliver', { id: dropped })).status).toBe(303);
  expect(await fates(one.id)).toContain('charge.succeeded delivered (503, 200)');

  expect((await press('refund', { id: one.id, amount: '300' })).status).toBe(303);
  const [, refund = ''] =
    /refund-fails"><input type="hidden" name="id" value="([^"]+)"/.exec(await section(one.id)) ??
    [];
  expect((await press('refund-fails', { id: refund })).status).toBe(303);
  expect(await section(one.id)).toContain('refund of 3.00 USD failed');
  expect(await page()).not.toContain('refund-fails');
  expect((await press('refund', { id: one.id })).status).toBe(303);
  expect(await section(one.id)).toContain('refund of 10.00 USD succeeded');
});

test('says that a card was declined, until another does', async () => {
  const { page, press, create } = await startPage();
  const { id } = await create();
  await press('fail', { id });
  expect(await page()).toContain('<p class="canceled">Your card was declined.</p>');
  await press('pay', { id });
  expect(await page()).not.toContain('declined');
});

test('what is no path is a 400', async () => {
  const { fake } = await startPage();
  expect((await fetch(`${fake.url}//`)).status).toBe(400);
});

test('delivers new events as it is told to', async () => {
  const { page, press, create, fake, types, arrived } = await startPage();
  expect(await page()).toContain('value="once" disabled');
  expect((await press('plan', { delivery: 'dropped' })).status).toBe(303);
  await create();
  expect((await press('plan', { delivery: 'twice' })).status).toBe(303);
  expect(await page()).toContain('value="twice" disabled');
  const { id } = await create();
  await arrived(2);
  await press('plan', { delivery: 'late' });
  fake.cancel(id);
  await arrived(3);
  const created = 'payment_intent.created';
  expect(types()).toEqual([created, created, 'payment_intent.canceled']);
  expect(fake.events().map((event) => event.pending_webhooks)).toEqual([1, 0, 0]);
  expect((await press('plan', { delivery: 'toString' })).status).toBe(422);
});
