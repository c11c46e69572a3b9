import { expect, it } from 'vitest';
import { readArguments } from './arguments.ts';
import { FAULTS } from './catalogue.ts';

const isLong = (name: string): boolean => FAULTS[name]?.isLong === true;

it('takes the long faults only when they are named, or all are', () => {
  const all = Object.keys(FAULTS);
  expect(all.filter(isLong)).toContain('half-open-redis');
  expect(readArguments([]).faults).toEqual(all.filter((name) => !isLong(name)));
  expect(readArguments(['--faults', 'all']).faults).toEqual(all);
  expect(readArguments(['--faults', 'hang-mail, kill-api']).faults).toEqual([
    'hang-mail',
    'kill-api',
  ]);
});

it('refuses what it does not know', () => {
  expect(() => readArguments(['--faults', 'kill-everybody'])).toThrow(/kill-everybody/);
  expect(() => readArguments(['--backlog', 'many'])).toThrow(/--backlog/);
});
