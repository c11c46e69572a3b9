import { CLOCK_FAULTS } from './families/clocks.ts';
import { MAIL_FAULTS } from './families/mail.ts';
import { NETWORK_FAULTS } from './families/network.ts';
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
  ...NETWORK_FAULTS,
  ...CLOCK_FAULTS,
  ...MAIL_FAULTS,
  ...SEVERAL_FAULTS,
};

/** What is injected unless something else is asked for. */
export const SHORT_FAULTS: readonly string[] = Object.entries(FAULTS)
  .filter(([, { isLong }]) => isLong !== true)
  .map(([name]) => name);

/** @throws RangeError for a name that is none */
export function faultNamed(name: string): Fault {
  const fault = FAULTS[name];
  if (fault === undefined) throw new RangeError(`there is no fault ${name}`);
  return fault;
}
