import { expect, test } from 'vitest';
import { BatchSize } from '../src/events/batch-size.ts';

test('a failure halves it, down to one event; then it grows again', () => {
  const size = new BatchSize();
  const seen = [];
  for (let failure = 0; failure < 11; failure++) {
    size.failed();
    seen.push(size.events);
  }
  expect(seen).toEqual([250, 125, 63, 32, 16, 8, 4, 2, 1, 1, 1]);
  for (const events of [2, 4, 8, 16, 32, 64, 128, 256, 500, 500]) {
    size.succeeded();
    expect(size.events).toBe(events);
  }
});
