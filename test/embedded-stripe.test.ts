import type { Stack } from '@gatehouse/local/stack-file';
import { until } from '@gatehouse/testing/condition';
import { START_MS } from '@gatehouse/testing/local-stack';
import { startFakeStripe } from '@gatehouse/testing/stripe/fake-stripe';
import { expect, it, onTestFinished } from 'vitest';
import { ask, localStack } from './local-stack.ts';

const TEST_MS = 3 * START_MS;

interface Account {
  cash: string;
  owed: string;
}

const account = (stack: Stack) => ask<Account>(stack, '/v1/account');

async function hasCash(stack: Stack, cash: string): Promise<void> {
  await until(async () => (await account(stack)).cash === cash, { what: `$${cash}` });
}

/** Presses a button of the page of the fake Stripe. */
function press({ stripe }: Stack, action: string, fields: Record<string, string>) {
  return fetch(`${stripe.pageUrl}/page/${action}`, {
    method: 'POST',
    headers: { origin: `${stripe.pageUrl}` },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
}

const page = async ({ stripe }: Stack) => (await fetch(`${stripe.pageUrl}`)).text();
const find = (text: string, pattern: RegExp) => pattern.exec(text)?.[1] ?? '';

it(
  'is a fake one that takes deposits, outlives a kill, and knows them at the next start',
  async () => {
    const local = localStack({ PAPER_STARTING_CASH: '1000.00', APIS: '2' });
    const first = await local.start();
    expect(first.stripe.apiUrl).toBe(first.stripe.pageUrl);
    const key = find(await page(first), /name="key" value="([^"]+)"/);
    for (let times = 0; times < 2; times += 1) {
      expect((await press(first, 'deposit', { key, amount: '12345' })).status).toBe(303);
    }
    const { data } = await ask<{ data: { paymentIntentId: string }[] }>(first, '/v1/deposits');
    expect(data).toHaveLength(1);
    const id = data[0]?.paymentIntentId ?? '';
    expect((await press(first, 'pay', { id })).status).toBe(303);
    await hasCash(first, '1123.45');
    const paid = await until(
      async () => {
        const text = await page(first);
        return text.includes('not delivered') ? null : text;
      },
      { what: 'the deliveries' },
    );
    expect(paid).toContain('<dd>$1123.45</dd>');
    expect(paid).toContain('123.45 USD');
    expect(paid.match(/>delivered</g)).toHaveLength(3);

    process.kill(first.stripePid ?? 0, 'SIGKILL');
    await until(() => local.now().stripePid !== first.stripePid, { what: 'another one' });
    const second = local.now();
    expect(second.stripe).toEqual(first.stripe);
    expect((await press(second, 'refund', { id, amount: '2345' })).status).toBe(303);
    await hasCash(second, '1100.00');

    await local.stop();
    const third = await local.start();
    expect(third.stripe.webhookSecret).toBe(first.stripe.webhookSecret);
    expect(await page(third)).toContain(id);
    expect((await press(third, 'refund', { id })).status).toBe(303);
    await hasCash(third, '1000.00');
    expect((await account(third)).owed).toBe('0.00');
  },
  TEST_MS,
);

it(
  'is the given one when there is a key, whose events any of the given secrets signs',
  async () => {
    const fake = await startFakeStripe({ apiKey: 'sk_test_given' });
    onTestFinished(() => fake.close());
    const local = localStack({
      STRIPE_SECRET_KEY: fake.apiKey,
      STRIPE_API_URL: fake.url,
      STRIPE_WEBHOOK_SECRETS: 'whsec_new, whsec_old',
      PAPER_STARTING_CASH: '1000.00',
    });
    const stack = await local.start();
    expect(stack.stripePid).toBeNull();
    expect(stack.stripe).toEqual({ webhookSecret: 'whsec_new', apiUrl: fake.url, pageUrl: null });
    fake.sendTo({ url: `${stack.apiUrl}/webhooks/stripe`, secret: 'whsec_old' });
    const made = await ask<{ paymentIntentId: string }>(stack, '/v1/deposits', {
      amount: 5000,
      currency: 'usd',
    });
    expect(fake.paymentIntents().map(({ id }) => id)).toEqual([made.paymentIntentId]);
    fake.pay(made.paymentIntentId);
    await hasCash(stack, '1050.00');
  },
  TEST_MS,
);
