import { POSTGRES_FAULTS } from './families/postgres.ts';
import { PROCESS_FAULTS } from './families/processes.ts';
import { REDIS_FAULTS } from './families/redis.ts';
import { SEVERAL_FAULTS } from './families/several.ts';
import type { Fault } from './fault.ts';

/** Every fault by its name: what `--faults` takes. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  ...PROCESS_FAULTS,
  ...REDIS_FAULTS,
  ...POSTGRES_FAULTS,
  ...SEVERAL_FAULTS,
};

/** @throws RangeError for a name that is none */
export function faultNamed(name: string): Fault {
  const fault = FAULTS[name];
  if (fault === undefined) throw new RangeError(`there is no fault ${name}`);
  return fault;
}
