import { expect, it } from 'vitest';
import { FAULTS } from './catalogue.ts';
import { seededRandom } from './random.ts';
import { schedule } from './schedule.ts';

const NAMES = Object.keys(FAULTS);

const plan = (seed: number, length: number) => {
  const faults = schedule(seededRandom(seed), NAMES);
  return Array.from({ length }, () => {
    const { name, pauseMs, random } = faults.next().value;
    return { name, pauseMs, choice: random.next() };
  });
};

it('is the same for the same seed, and another for another', () => {
  expect(plan(7, 40)).toEqual(plan(7, 40));
  expect(plan(7, 40)).not.toEqual(plan(8, 40));
});

it('has every fault once before any comes again', () => {
  const names = plan(7, NAMES.length * 2).map(({ name }) => name);
  expect(names.slice(0, NAMES.length).toSorted()).toEqual(NAMES.toSorted());
  expect(names.slice(NAMES.length).toSorted()).toEqual(NAMES.toSorted());
});
