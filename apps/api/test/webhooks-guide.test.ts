import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startGateway } from './harness.ts';

test('the API docs show how a webhook is verified, in the words of the guide', async () => {
  const gateway = await startGateway();
  const { body } = await gateway.call('GET', '/openapi.json');
  const tags: { name: string; description: string }[] = body.tags;
  const description = tags.find(({ name }) => name === 'Webhooks')?.description ?? '';
  const guide = await readFile(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
  const blocks = guide.match(/^```(js|python)\n.*?^```$/gms) ?? [];
  expect(blocks).toHaveLength(2);
  for (const block of blocks) expect(description).toContain(block);
  expect(description).toMatch(/^### Verifying$/m);
  // Of this chapter only.
  expect(description).not.toMatch(/^## |<!--|Answering/m);
});

test('the whole guide is a page beside the API docs', async () => {
  const gateway = await startGateway();
  const { status, headers, text } = await gateway.call('GET', '/docs/webhooks');
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const guide = await readFile(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
  const chapters = [...guide.matchAll(/^## (.*)$/gm)].map(([, title]) => `<h2>${title}</h2>`);
  expect(text.match(/<h2>.*<\/h2>/g)).toEqual(chapters);
  expect(text).toContain('<code class="language-python">import os');
  expect(text).toMatch(/<td>410<\/td>\s*<td>the endpoint is disabled/);
});
