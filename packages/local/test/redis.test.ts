import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { searchPath } from '../src/config.ts';
import { freePort } from '../src/ports.ts';
import { startRedis } from '../src/redis.ts';
import { findRedis } from '../src/redis-binary.ts';
import { temporaryDir } from './temporary.ts';

test('comes back on the same port with what was on disk after SIGKILL', async () => {
  const options = await redisOptions(true);
  const first = await startRedis(options);
  const port = options.port;
  // On disk before it answers: otherwise the last second may be lost.
  expect(await command(port, 'CONFIG SET appendfsync always')).toBe('+OK');
  expect(await command(port, 'SET key kept')).toBe('+OK');

  first.process.kill('SIGKILL');
  await once(first.process, 'exit');
  const second = await startRedis(options);
  onTestFinished(() => second.stop());

  expect(second.url).toBe(first.url);
  expect(await command(port, 'STRLEN key')).toBe(':4');
});

test('forgets everything where nothing is to be kept', async () => {
  const options = await redisOptions(false);
  const first = await startRedis(options);
  expect(await command(options.port, 'SET key lost')).toBe('+OK');
  await first.stop();
  const second = await startRedis(options);
  onTestFinished(() => second.stop());
  expect(await command(options.port, 'EXISTS key')).toBe(':0');
});

test('refuses writes instead of evicting when it is full', async () => {
  const options = await redisOptions(false);
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  expect(await command(options.port, 'CONFIG SET maxmemory 1')).toBe('+OK');
  expect(await command(options.port, 'SET key value')).toMatch(/^-OOM/);
});

test('finds no server on a path that has none', () => {
  expect(findRedis(temporaryDir())).toBeNull();
});

async function redisOptions(appendOnly: boolean) {
  const dir = temporaryDir();
  return {
    dir: join(dir, 'redis'),
    port: await freePort(),
    appendOnly,
    logFile: join(dir, 'redis.log'),
    searchPath: searchPath(),
  };
}

/** Sends one inline command and gives the first line of the answer. */
async function command(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(`${text}\r\n`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  return String(answer).split('\r\n')[0] ?? '';
}
