import { expect, test } from 'vitest';
import { aheadOf } from '../src/webhooks/ahead.ts';
import { Pace } from '../src/webhooks/pace.ts';
import { isOverloaded, retryAfterMs, retryDelayMs, verdictOn } from '../src/webhooks/schedule.ts';
import { describeSendError } from '../src/webhooks/send-error.ts';

const SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

test('nine retries follow a first attempt, each within 15 % of its time', () => {
  SECONDS.forEach((seconds, index) => {
    expect(retryDelayMs(index + 1, 0)).toBe(seconds * 850);
    expect(retryDelayMs(index + 1, 0.5)).toBe(seconds * 1_000);
    expect(retryDelayMs(index + 1, 1)).toBe(seconds * 1_150);
  });
  expect(retryDelayMs(10, 0.5)).toBeNull();
});

const NOW = Date.parse('2026-11-20T08:00:00Z');

test.each([
  ['120', 120_000],
  [' 1 ', 1_000],
  ['Fri, 20 Nov 2026 08:00:30 GMT', 30_000],
  ['999999999', 86_400_000],
  ['Fri, 20 Nov 2099 08:00:30 GMT', 86_400_000],
  ['0', null],
  ['Fri, 20 Nov 2026 07:59:59 GMT', null],
  ['-5', null],
  ['1.5', null],
  ['soon', null],
  ['', null],
  [undefined, null],
])('Retry-After: %s', (value, ms) => {
  expect(retryAfterMs(value, NOW)).toBe(ms);
});

test.each([
  [200, 'succeeded'],
  [299, 'succeeded'],
  [300, 'failed'],
  [304, 'failed'],
  [404, 'failed'],
  [410, 'gone'],
  [500, 'failed'],
] as const)('an answer %s: %s', (status, verdict) => {
  expect(verdictOn(status)).toBe(verdict);
});

test('no answer, 429, 502, 503 and 504 slow down, and nothing else does', () => {
  expect([null, 429, 502, 503, 504].every(isOverloaded)).toBe(true);
  expect([400, 404, 410, 500, 501].some(isOverloaded)).toBe(false);
});

test('an endpoint is probed with one request, and given one more at a time with each success', () => {
  const pace = new Pace({ rateLimitPerSecond: null, maxConcurrency: 5 });
  expect(pace.concurrency).toBe(1);
  for (let count = 0; count < 10; count += 1) pace.succeeded();
  expect(pace.concurrency).toBe(5);
  pace.overloaded();
  expect(pace.concurrency).toBe(2);
  pace.overloaded();
  pace.overloaded();
  expect(pace.concurrency).toBe(1);
  pace.succeeded();
  expect(pace.concurrency).toBe(2);
});

test.each([
  [null, 1, 10],
  [null, 5, 20],
  [null, 100, 100],
  [3, 1, 3],
  [50, 5, 20],
])('at %s a second and %s at a time, %s are taken ahead', (rate, concurrency, ahead) => {
  expect(aheadOf({ rateLimitPerSecond: rate }, concurrency)).toBe(ahead);
});

test('sends are spaced evenly, and what was missed is not made up for', () => {
  const pace = new Pace({ rateLimitPerSecond: 10, maxConcurrency: 5 });
  const sends: number[] = [];
  for (let now = 1_000; now < 4_000; now += 1) {
    // Nobody is there for a second.
    const isAway = now > 2_000 && now < 3_000;
    if (isAway || pace.waitMs(now) > 0) continue;
    pace.sent(now);
    sends.push(now);
  }
  for (const first of sends) {
    expect(sends.filter((at) => at >= first && at < first + 1_000).length).toBeLessThanOrEqual(11);
  }
  expect(sends.length).toBeGreaterThanOrEqual(19);
  expect(sends.length).toBeLessThanOrEqual(22);
});

test('an error is told in the same few words, whatever its message', () => {
  const of = (code: string) => Object.assign(new Error('at 10.0.0.1'), { code });
  expect(describeSendError(of('ECONNREFUSED'))).toBe('connection refused');
  expect(describeSendError(new AggregateError([of('ECONNREFUSED')]))).toBe('connection refused');
  expect(describeSendError(new Error('x', { cause: of('ETIMEDOUT') }))).toBe('timed out');
  expect(describeSendError(of('CERT_HAS_EXPIRED'))).toBe('tls failed: CERT_HAS_EXPIRED');
  expect(describeSendError(of('DEPTH_ZERO_SELF_SIGNED_CERT'))).toBe(
    'tls failed: DEPTH_ZERO_SELF_SIGNED_CERT',
  );
  expect(describeSendError(of('HPE_INVALID_CONSTANT'))).toBe('the answer is not http');
  expect(describeSendError(of('E_OTHER'))).toBe('no answer: E_OTHER');
  expect(describeSendError('text')).toBe('no answer');
});
