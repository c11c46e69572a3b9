import { randomBytes } from 'node:crypto';
import { relative } from 'node:path';
import { ROOT } from './config.ts';
import { say, sinceStart } from './progress.ts';
import type { Stack } from './stack-file.ts';

/** Prints where everything is, and commands to begin with. */
export function printSummary(stack: Stack, files: { stack: string; logs: string }): void {
  const rows: [string, string | null][] = [
    ['API', stack.apiUrls.join('  ')],
    ['API docs', stack.docsUrl],
    ['queues', stack.adminUrl],
    ['mail', stack.mailUrl],
    ['payments', stack.stripe.pageUrl],
    ['metrics', stack.metricsUrl],
    ['all of it', relative(ROOT, files.stack)],
    ['logs', relative(ROOT, files.logs)],
  ];
  say(`\nGatehouse is up after ${sinceStart()}.\n`);
  for (const [name, value] of rows) if (value) say(`  ${name.padEnd(10)} ${value}`);
  say('');
  for (const role of ['user', 'operator', 'admin'] as const) {
    const account = stack.demo[role];
    if (account) say(`  ${role.padEnd(10)} ${account.email}  ${account.password}`);
  }
  if (stack.demo.user) printCommands(stack.apiUrl, stack.demo.user.apiKey);
  say('\nCtrl-C stops it; the data stays.');
}

function printCommands(apiUrl: string, apiKey: string): void {
  const id = `try-${randomBytes(4).toString('hex')}`;
  const auth = `-H 'Authorization: Bearer ${apiKey}'`;
  const order = {
    symbol: 'AAPL',
    side: 'buy',
    type: 'market',
    quantity: '1',
    clientOrderId: id,
  };
  say(`
Post an order (again, and it is the same order), then read it:

  curl -sS ${apiUrl}/v1/orders ${auth} -H 'Idempotency-Key: ${id}' -H 'Content-Type: application/json' -d '${JSON.stringify(order)}'
  curl -sS ${apiUrl}/v1/orders/by-client-order-id/${id} ${auth}`);
}
