import type { Definition } from '@gatehouse/jobs/definition';
import type { Processor } from './processor.ts';

/** The processors by the name of their definition. */
export type Registry = ReadonlyMap<string, Processor>;

/**
 * Pairs every definition with its processor.
 *
 * @throws one error that lists each definition without a processor or with several, and each processor that
 * belongs to no definition
 */
export function createRegistry(
  catalogue: readonly Definition[],
  processors: readonly Processor[],
): Registry {
  const known = new Set(catalogue.map(({ name }) => name));
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
  ];
  if (problems.length > 0)
    throw new Error(`jobs and processors do not match: ${problems.join('; ')}`);
  return new Map(processors.map((processor) => [processor.definition.name, processor]));
}
