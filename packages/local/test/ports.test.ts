import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { assertPortFree, freePort } from '../src/ports.ts';

test('a port in use is one line that names the setting', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  await expect(assertPortFree(port, 'PORT')).rejects.toMatchObject({
    message: `port ${port} is in use: stop what listens there or set PORT`,
  });
});

test('a port in use on all addresses is in use on loopback', async () => {
  const port = await freePort();
  const server = createServer().listen(port);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  await expect(assertPortFree(port, 'PORT')).rejects.toThrow('is in use');
});

test('a free port is free, and is given out once', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) await assertPortFree(port, 'PORT');
});
