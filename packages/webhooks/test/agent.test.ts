import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createGuardedAgent } from '../src/agent.ts';
import type { UrlRules } from '../src/guard.ts';
import { ALWAYS_FORBIDDEN, PRIVATE_ADDRESSES } from './url-table.ts';

const STRICT = { allowPrivate: false, allowHttp: true };
const OPEN = { allowPrivate: true, allowHttp: true };
const NOT_ALLOWED = expect.objectContaining({ name: 'UrlNotAllowed', code: 'url_not_allowed' });

/** A receiver on 127.0.0.1 (and `::1`, where there is one) that counts who connects to it. */
async function receiver(answer = 'ok') {
  const seen = { connections: 0, hosts: [] as (string | undefined)[] };
  const server = createServer((request, response) => {
    seen.hosts.push(request.headers.host);
    request.resume().on('end', () => response.end(answer));
  });
  server.on('connection', () => {
    seen.connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

/** Posts through an agent whose names resolve to one answer after the other, the last of them for ever. */
function calling(rules: UrlRules, ...answers: string[][]) {
  const asked: string[] = [];
  const agent = createGuardedAgent(rules, {
    resolve: async (name) => {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(name);
      return answer;
    },
  });
  onTestFinished(() => agent.destroy());
  const post = async (origin: string, connection = 'keep-alive') => {
    const { statusCode, body } = await agent.request({
      origin,
      path: '/',
      method: 'POST',
      body: '{}',
      headers: { connection },
    });
    return `${statusCode} ${await body.text()}`;
  };
  return { post, asked };
}

it('connects to what was resolved and checked, and resolves once for a connection', async () => {
  const { port, seen } = await receiver();
  const { post, asked } = calling(OPEN, ['127.0.0.1']);
  for (let count = 0; count < 3; count += 1) {
    expect(await post(`http://example.com:${port}`)).toBe('200 ok');
  }
  expect(asked).toEqual(Array(seen.connections).fill('example.com'));
  expect(seen.hosts).toEqual(Array(3).fill(`example.com:${port}`));
});

it('takes the next of several addresses when one does not answer', async () => {
  const { port } = await receiver();
  const { post } = calling(OPEN, ['127.0.0.2', '127.0.0.1']);
  expect(await post(`http://example.com:${port}`)).toBe('200 ok');
});

it.each([
  'http://127.0.0.1',
  'http://127.1',
  'http://0x7f000001',
  'http://[::ffff:127.0.0.1]',
  'http://localhost',
])('connects to %s only where that is allowed', async (origin) => {
  const { port, seen } = await receiver();
  await expect(calling(STRICT, ['127.0.0.1']).post(`${origin}:${port}`)).rejects.toThrow(
    NOT_ALLOWED,
  );
  expect(seen.connections).toBe(0);
  expect(await calling(OPEN, ['127.0.0.1']).post(`${origin}:${port}`)).toBe('200 ok');
});

it.each([...PRIVATE_ADDRESSES, ...ALWAYS_FORBIDDEN])(
  'connects to no name that is %j',
  async (address) => {
    const { post } = calling(STRICT, [address]);
    await expect(post('http://example.com:9')).rejects.toThrow(NOT_ALLOWED);
  },
);

it('connects to no name of which one answer is forbidden, wherever it stands', async () => {
  const { port, seen } = await receiver();
  for (const answers of [
    ['127.0.0.1', '1.1.1.1'],
    ['1.1.1.1', '127.0.0.1'],
    ['2606:4700::1', '1.1.1.1', '::ffff:7f00:1'],
  ]) {
    await expect(calling(STRICT, answers).post(`http://example.com:${port}`)).rejects.toThrow(
      NOT_ALLOWED,
    );
  }
  expect(seen.connections).toBe(0);
});

it('is not led elsewhere by a name that resolves to something else the second time', async () => {
  const { port, seen } = await receiver();
  // Allowed at first: the connection is closed by the agent, and the next one has to resolve again.
  const rebinding = calling(OPEN, ['127.0.0.1'], ['169.254.169.254']);
  expect(await rebinding.post(`http://example.com:${port}`, 'close')).toBe('200 ok');
  await expect(rebinding.post(`http://example.com:${port}`, 'close')).rejects.toThrow(NOT_ALLOWED);
  expect(rebinding.asked).toEqual(['example.com', 'example.com']);
  expect(seen.connections).toBe(1);
});

it('follows no redirect', async () => {
  const server = createServer((_, response) => {
    response.writeHead(307, { location: 'http://169.254.169.254/' }).end('elsewhere');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const { post, asked } = calling(OPEN, ['127.0.0.1']);
  expect(await post(`http://127.0.0.1:${port}`)).toBe('307 elsewhere');
  expect(asked).toEqual([]);
});

it('speaks http only where that is allowed', async () => {
  const { port, seen } = await receiver();
  const { post } = calling({ allowPrivate: true, allowHttp: false }, ['127.0.0.1']);
  await expect(post(`http://127.0.0.1:${port}`)).rejects.toThrow('only an https URL is called');
  expect(seen.connections).toBe(0);
});

it('has a name without an address fail, and try again', async () => {
  const { port } = await receiver();
  const { post } = calling(OPEN, [], ['127.0.0.1']);
  await expect(post(`http://example.com:${port}`)).rejects.toThrow('example.com has no address');
  expect(await post(`http://example.com:${port}`)).toBe('200 ok');
});
