import { expect, test } from 'vitest';
import { Standstill } from '../src/progress-standstill.ts';

const PATIENCE = 5;

/** Looks so often at what stands still, and does what is due. At which looks was that? */
function watch(standstill: Standstill, looks: number, what: (look: number) => string | null) {
  const remedies: number[] = [];
  for (let look = 0; look < looks; look += 1) {
    standstill.saw(what(look));
    if (!standstill.isRemedyDue) continue;
    standstill.remedied();
    remedies.push(look);
  }
  return remedies;
}

test('a remedy is due when patience is over, and then more and more rarely', () => {
  const standstill = new Standstill(PATIENCE);
  expect(watch(standstill, 50, () => 'a')).toEqual([5, 10, 20, 40]);
});

test('it is hopeless when the first remedy did not help for as long again', () => {
  const standstill = new Standstill(PATIENCE);
  watch(standstill, 10, () => 'a');
  expect(standstill.isHopeless).toBe(false);
  watch(standstill, 1, () => 'a');
  expect(standstill.isHopeless).toBe(true);
  expect(standstill.saw('b')).toBe(true);
  expect(standstill.isHopeless).toBe(false);
});

test('what changes before patience is over, and nothing at all, never are a standstill', () => {
  const standstill = new Standstill(PATIENCE);
  expect(watch(standstill, 50, () => null)).toEqual([]);
  expect(watch(standstill, 50, (look) => `${Math.floor(look / PATIENCE)}`)).toEqual([]);
  expect(watch(standstill, 50, (look) => (look % PATIENCE === 0 ? null : 'a'))).toEqual([]);
});

test('what is forgotten begins anew, and what is proven needs no patience', () => {
  const standstill = new Standstill(PATIENCE);
  watch(standstill, PATIENCE, () => 'a');
  standstill.forget();
  expect(watch(standstill, 6, () => 'a')).toEqual([5]);
  const ended = new Standstill(PATIENCE);
  expect(ended.saw('a')).toBe(false);
  ended.proven();
  expect(ended.isRemedyDue).toBe(true);
});
