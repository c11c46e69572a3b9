import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../src/ports.ts';
import { startStripe } from '../src/stripe.ts';
import { supervise } from '../src/supervisor.ts';
import { temporaryDir } from './temporary.ts';

async function startSupervised() {
  const dir = temporaryDir();
  const options = {
    dir: join(dir, 'stripe'),
    port: await freePort(),
    apiKey: 'sk_test_local',
    webhook: { url: 'http://127.0.0.1:9/webhooks/stripe', secret: 'whsec_local' },
    stackFile: join(dir, 'stack.json'),
    logFile: join(dir, 'stripe.log'),
  };
  let changes = 0;
  const stripe = await supervise({
    name: 'stripe',
    start: (signal) => startStripe({ ...options, signal }),
    onChange: () => {
      changes += 1;
    },
  });
  onTestFinished(() => stripe.stop());
  return { stripe, options, changes: () => changes };
}

function api(url: string, path: string, form?: string, key = 'sk_test_local') {
  return fetch(`${url}/v1/${path}`, {
    headers: { authorization: `Bearer ${key}`, connection: 'close' },
    ...(form !== undefined && { method: 'POST', body: form }),
  });
}

test('is killed, and is there again on its port with all that it knew', async () => {
  const { stripe, options, changes } = await startSupervised();
  const { url, pid } = stripe.current;
  expect(url).toBe(`http://127.0.0.1:${options.port}`);
  const made = await api(url, 'payment_intents', 'amount=500&currency=usd');
  const { id } = (await made.json()) as { id: string };
  process.kill(pid, 'SIGKILL');
  await expect.poll(changes, { timeout: 30_000 }).toBe(1);
  expect(stripe.current).toMatchObject({ url, apiKey: 'sk_test_local' });
  expect(stripe.current.pid).not.toBe(pid);
  const found = await api(url, `payment_intents/${id}`);
  expect(await found.json()).toMatchObject({ id, amount: 500, livemode: false });
  expect((await api(url, `payment_intents/${id}`, undefined, 'sk_test_other')).status).toBe(401);
}, 60_000);

test('keeps its secrets out of its log, and what it knows for its owner', async () => {
  const { stripe, options } = await startSupervised();
  await api(stripe.current.url, 'payment_intents', 'amount=500&currency=usd');
  await stripe.stop();
  expect(readFileSync(options.logFile, 'utf8')).toBe('');
  expect(statSync(join(options.dir, 'state.jsonl')).mode & 0o777).toBe(0o600);
});
