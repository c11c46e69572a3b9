import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLull } from '../src/webhooks/lull.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function watchedLull() {
  const passedOn: number[][] = [];
  return { passedOn, lull: createLull<number>((items) => passedOn.push([...items])) };
}

test('what comes alone is passed on within milliseconds', () => {
  const { lull, passedOn } = watchedLull();
  for (const item of [1, 2]) {
    lull.stir();
    lull.add([item]);
    expect(passedOn.flat()).not.toContain(item);
    vi.advanceTimersByTime(10);
    expect(passedOn.flat()).toContain(item);
    vi.advanceTimersByTime(10_000);
  }
  expect(passedOn).toEqual([[1], [2]]);
});

test('while more comes in it is held back together, and none for longer than two seconds', () => {
  const { lull, passedOn } = watchedLull();
  for (let item = 0; item < 3_000; item += 1) {
    lull.stir();
    lull.add([item]);
    vi.advanceTimersByTime(1);
    expect(item - passedOn.flat().length).toBeLessThan(2_010);
  }
  expect(passedOn).toHaveLength(1);
  expect(passedOn[0]?.length).toBeGreaterThan(1_900);
  vi.advanceTimersByTime(10);
  expect(passedOn.flat()).toEqual(Array.from({ length: 3_000 }, (_, item) => item));
});

test('what is held back is passed on when it ends, once', () => {
  const { lull, passedOn } = watchedLull();
  lull.add([1, 2]);
  lull.add([]);
  lull.flush();
  lull.flush();
  vi.advanceTimersByTime(10_000);
  expect(passedOn).toEqual([[1, 2]]);
});
