import { setImmediate as nextTurn } from 'node:timers/promises';
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
  const lull = createLull<number>((items) => passedOn.push([...items]));
  /** Something urgent of which `item` is left, after so many milliseconds. */
  const take = async (item: number, ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const taken = lull.before(() => promise);
    vi.advanceTimersByTime(ms);
    lull.add([item]);
    resolve();
    await taken;
  };
  return { passedOn, lull, take };
}

test('what comes alone is passed on within milliseconds', async () => {
  const { passedOn, take } = watchedLull();
  for (const item of [1, 2]) {
    await take(item, 3);
    expect(passedOn.flat()).not.toContain(item);
    vi.advanceTimersByTime(10);
    expect(passedOn.flat()).toContain(item);
    vi.advanceTimersByTime(10_000);
  }
  expect(passedOn).toEqual([[1], [2]]);
});

test('nothing is passed on while something is under way, however long that takes', async () => {
  const { lull, passedOn } = watchedLull();
  const { promise, resolve } = Promise.withResolvers<void>();
  const urgent = lull.before(() => promise);
  lull.add([1]);
  vi.advanceTimersByTime(1_900);
  expect(passedOn).toEqual([]);
  resolve();
  await urgent;
  vi.advanceTimersByTime(10);
  expect(passedOn).toEqual([[1]]);
});

test('while more comes in it is held back together, and none for longer than two seconds', async () => {
  const { passedOn, take } = watchedLull();
  for (let item = 0; item < 400; item += 1) {
    await take(item, 10);
    expect(item - passedOn.flat().length).toBeLessThan(202);
  }
  expect(passedOn).toHaveLength(1);
  expect(passedOn[0]?.length).toBeGreaterThan(190);
  vi.advanceTimersByTime(10);
  expect(passedOn.flat()).toEqual(Array.from({ length: 400 }, (_, item) => item));
});

test('what fails holds nothing up', async () => {
  const { lull, passedOn } = watchedLull();
  const failed = lull.before(async () => {
    await nextTurn();
    throw new Error('away');
  });
  lull.add([1]);
  await expect(failed).rejects.toThrow('away');
  vi.advanceTimersByTime(10);
  expect(passedOn).toEqual([[1]]);
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
