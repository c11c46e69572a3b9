import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import Stripe from 'stripe';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../src/condition.ts';
import { SECRET, startReceiver } from './stripe-setup.ts';

const PROCESS = join(import.meta.dirname, '../src/stripe-process.ts');

async function startProcess(environment: Record<string, string>) {
  const child = spawn(process.execPath, [PROCESS], { env: environment });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const url = await until(() => /^STRIPE_API_URL=(.+)$/m.exec(output)?.[1], { what: 'the URL' });
  const { hostname, port } = new URL(url);
  const stripe = new Stripe('sk_test_page', { host: hostname, port, protocol: 'http' });
  const press = (action: string, fields: Record<string, string>, origin = url) =>
    fetch(`${url}/page/${action}`, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams(fields),
      redirect: 'manual',
    });
  const page = async () => (await fetch(url)).text();
  return { child, url, stripe, press, page };
}

test('runs by itself, and its page pays, refunds and disputes', async () => {
  const { endpoint, received, types } = await startReceiver();
  const { child, stripe, press, page } = await startProcess({
    API_KEY: 'sk_test_page',
    WEBHOOK_URL: endpoint.url,
    WEBHOOK_SECRET: SECRET,
  });
  const { id } = await stripe.paymentIntents.create({
    amount: 2_000,
    currency: 'usd',
    metadata: { note: '<script>alert("1")</script>' },
  });
  const before = await page();
  expect(before).toContain(
    `<form method="post" action="/page/pay"><input type="hidden" name="id" value="${id}">`,
  );
  expect(before).toContain('&lt;script&gt;');
  expect(before).not.toContain('<script>');

  expect((await press('pay', { id })).status).toBe(303);
  expect((await stripe.paymentIntents.retrieve(id)).status).toBe('succeeded');
  await until(() => types().includes('payment_intent.succeeded'), { what: 'the webhook' });
  const { body = '', headers } = received.at(-1) ?? {};
  Stripe.webhooks.constructEvent(body, String(headers?.['stripe-signature']), SECRET);

  expect((await press('refund', { id, amount: '500' })).status).toBe(303);
  const tooMuch = await press('refund', { id, amount: '1501' });
  expect([tooMuch.status, await tooMuch.text()]).toEqual([
    422,
    expect.stringContaining('<p role="alert">Refund amount (1501)'),
  ]);
  expect((await press('dispute', { id })).status).toBe(303);
  const [, dispute = ''] =
    /\/page\/lost"><input type="hidden" name="id" value="([^"]+)"/.exec(await page()) ?? [];
  expect((await press('lost', { id: dispute })).status).toBe(303);
  expect(await stripe.disputes.retrieve(dispute)).toMatchObject({ amount: 1_500, status: 'lost' });

  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test('takes no form from elsewhere, and answers to no other name', async () => {
  const { url, stripe, press } = await startProcess({ API_KEY: 'sk_test_page' });
  const { id } = await stripe.paymentIntents.create({ amount: 2_000, currency: 'usd' });
  for (const origin of ['http://evil.example', 'null', url.replace('http:', 'https:')]) {
    expect((await press('pay', { id }, origin)).status).toBe(403);
  }
  const bare = await fetch(`${url}/page/pay`, { method: 'POST', body: `id=${id}` });
  expect(bare.status).toBe(403);
  expect((await stripe.paymentIntents.retrieve(id)).status).toBe('requires_payment_method');
  expect(await statusAs(url, 'evil.example')).toBe(403);
  expect(await statusAs(url, `localhost:${new URL(url).port}`)).toBe(200);
  expect((await press('pay', { id })).status).toBe(303);
});

/** Of the page, asked for by a name. */
async function statusAs(url: string, host: string): Promise<number | undefined> {
  const asked = get(url, { headers: { host } });
  const [response]: IncomingMessage[] = await once(asked, 'response');
  response?.resume();
  return response?.statusCode;
}
