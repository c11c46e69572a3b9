import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '@gatehouse/local/ports';
import { until } from '@gatehouse/testing/condition';
import { newWebhookSecret, signWebhook } from '@gatehouse/webhooks/signing';
import { keyOf } from '@gatehouse/webhooks/signing-key';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT, readText } from './repository.ts';

it('has code for Node that takes what is signed, and nothing else', async () => {
  const guide = readText('docs/webhooks.md');
  const code = /^<!-- NODE -->\n+```js\n(.*?)^```$/ms.exec(guide)?.[1] ?? '';
  const [secret, other] = [newWebhookSecret(), newWebhookSecret()];
  const port = await freePort();
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    // Where the official library is installed.
    cwd: join(ROOT, 'packages/webhooks'),
    env: { PATH: process.env.PATH, PORT: `${port}`, WEBHOOK_SECRET: secret },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }

  const id = 'event-1';
  const body = JSON.stringify({ id, type: 'order.filled', data: { text: 'ä €' } });
  const now = Math.floor(Date.now() / 1000);
  const post = async (secrets: string[], sent = body, timestamp = now) => {
    const response = await fetch(`http://127.0.0.1:${port}/webhooks`, {
      method: 'POST',
      body: sent,
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': `${timestamp}`,
        'webhook-signature': signWebhook({ id, timestamp, body }, secrets.map(keyOf)),
      },
    });
    return response.status;
  };
  await until(() => post([secret]).catch(() => null), { what: 'the receiver to listen' });
  expect(await post([secret])).toBe(204);
  expect(await post([other, secret])).toBe(204);
  expect(await post([other])).toBe(400);
  expect(await post([secret], `${body} `)).toBe(400);
  expect(await post([secret], body, now - 400)).toBe(400);
  const most = 'x'.repeat(2 ** 20);
  expect(await post([secret], most)).toBe(400);
  expect(await post([secret], `${most}x`)).toBe(413);

  // What breaks off ends nothing but itself.
  const broken = connect(port, '127.0.0.1');
  broken.end('POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"id"');
  broken.resume();
  await once(broken, 'close');
  expect(await post([secret])).toBe(204);
  await until(() => said.includes('order.filled event-1\n'), { what: 'the event to be printed' });
});
