import { expect, test } from 'vitest';
import { BatchSize } from '../src/events/batch-size.ts';

test('fewer events are published at a time where each makes many deliveries, and more again later', () => {
  const size = new BatchSize();
  expect(size.events).toBe(500);
  size.succeeded({ events: 500, deliveries: 1_000 });
  expect(size.events).toBe(500);
  size.succeeded({ events: 500, deliveries: 25_000 });
  expect(size.events).toBe(40);
  size.succeeded({ events: 40, deliveries: 2_000 });
  expect(size.events).toBe(40);
  size.succeeded({ events: 1, deliveries: 5_000 });
  expect(size.events).toBe(1);
  for (const events of [2, 4, 8]) {
    size.succeeded({ events: 1, deliveries: 0 });
    expect(size.events).toBe(events);
  }
});

test('a failure halves it, down to one event', () => {
  const size = new BatchSize();
  const seen = [];
  for (let failure = 0; failure < 11; failure++) {
    size.failed();
    seen.push(size.events);
  }
  expect(seen).toEqual([250, 125, 63, 32, 16, 8, 4, 2, 1, 1, 1]);
  size.succeeded({ events: 1, deliveries: 1 });
  expect(size.events).toBe(2);
});
