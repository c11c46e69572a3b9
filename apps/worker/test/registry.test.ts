import { CATALOGUE } from '@gatehouse/jobs/catalogue';
import { type Definition, defineSchedule } from '@gatehouse/jobs/definition';
import { expect, test } from 'vitest';
import { type Processor, processJob, processSchedule } from '../src/processor.ts';
import { createRegistry } from '../src/registry.ts';

const nothing = async () => undefined;

function processorOf(definition: Definition): Processor {
  return definition.kind === 'job'
    ? processJob(definition, nothing)
    : processSchedule(definition, nothing);
}

const processors = CATALOGUE.map(processorOf);

test('every definition is paired with its own processor', () => {
  const registry = createRegistry(CATALOGUE, processors);
  expect(registry.size).toBe(CATALOGUE.length);
  for (const processor of processors) {
    expect(registry.get(processor.definition.name)).toBe(processor);
  }
});

test('all that does not match is named at once', () => {
  const stray = processSchedule(
    defineSchedule({ name: 'stray', queue: 'tasks', everyMs: 1 }),
    nothing,
  );
  const [first, second] = CATALOGUE;
  const mismatched = [
    ...processors.filter(({ definition }) => definition !== first),
    ...processors.filter(({ definition }) => definition === second),
    stray,
  ];
  expect(() => createRegistry(CATALOGUE, mismatched)).toThrow(
    `jobs and processors do not match: ${first?.name} has no processor; ${second?.name} has 2 processors; ` +
      'stray has a processor, but is not in the catalogue',
  );
});

test('without processors every definition is listed', () => {
  const names = CATALOGUE.map(({ name }) => `${name} has no processor`).join('; ');
  expect(() => createRegistry(CATALOGUE, [])).toThrow(names);
});
