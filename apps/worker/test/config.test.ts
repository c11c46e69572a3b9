import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

const required = {
  DATABASE_URL: 'postgresql://localhost/gatehouse',
  REDIS_URL: 'redis://localhost',
  SMTP_URL: 'smtp://localhost',
  WEBHOOK_SECRET_KEYS: 'k'.repeat(32),
};

test('what is not given, or empty, has its default', () => {
  const defaults = readConfig(required);
  expect(defaults).toMatchObject({ METRICS_PORT: 0, WORKER_CONCURRENCY: 64, BROKER: 'paper' });
  const emptied = Object.fromEntries(Object.keys(defaults).map((name) => [name, '']));
  expect(readConfig({ ...emptied, ...required })).toEqual(defaults);
});

test('numbers are read as numbers', () => {
  const config = readConfig({ ...required, METRICS_PORT: '9100', WORKER_CONCURRENCY: '4' });
  expect(config).toMatchObject({ METRICS_PORT: 9100, WORKER_CONCURRENCY: 4 });
});

test('one error names every variable that is missing or bad, and gives no secret away', () => {
  const read = () =>
    readConfig({
      REDIS_URL: 'http://user:s3cret@localhost',
      SMTP_URL: '',
      METRICS_PORT: 'any',
      WORKER_CONCURRENCY: '257',
      LOG_LEVEL: 'loud',
      MAIL_FROM: 'Eve <eve@example.test>\nBcc: all@example.test',
    });
  const bad = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'METRICS_PORT', 'WORKER_CONCURRENCY'];
  for (const name of [...bad, 'LOG_LEVEL', 'MAIL_FROM']) expect(read).toThrow(name);
  expect(read).not.toThrow('s3cret');
});
