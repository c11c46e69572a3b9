import { type Definition, namesOf } from '@gatehouse/jobs/definition';
import type { Processor } from './processor.ts';

/** The processors by the names of their definitions, former ones included. */
export type Registry = ReadonlyMap<string, Processor>;

/**
 * Pairs every definition with its processor.
 *
 * @throws one error that lists each definition without a processor or with several, each processor that belongs to
 * no definition, and each name that two definitions go by
 */
export function createRegistry(
  catalogue: readonly Definition[],
  processors: readonly Processor[],
): Registry {
  const known = new Set(catalogue.map(({ name }) => name));
  const names = catalogue.flatMap(namesOf);
  const problems = [
    ...catalogue.flatMap(({ name }) => {
      const count = processors.filter(({ definition }) => definition.name === name).length;
      return count === 1
        ? []
        : [`${name} has ${count === 0 ? 'no processor' : `${count} processors`}`];
    }),
    ...processors
      .filter(({ definition }) => !known.has(definition.name))
      .map(({ definition }) => `${definition.name} has a processor, but is not in the catalogue`),
    ...[...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
      (name) => `two definitions go by the name ${name}`,
    ),
  ];
  if (problems.length > 0)
    throw new Error(`jobs and processors do not match: ${problems.join('; ')}`);
  const named = processors.flatMap((processor) =>
    namesOf(processor.definition).map((name) => [name, processor] as const),
  );
  return new Map(named);
}
