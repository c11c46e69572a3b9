import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { FAULTS, faultNamed, SHORT_FAULTS } from './catalogue.ts';

export const USAGE = `npm run test:faults                          inject faults for 30 s, and prove that nothing is lost or done twice
npm run test:faults -- --seed 7              the same faults in the same order as another run with this seed
npm run test:faults -- --seconds 120         for longer
npm run test:faults -- --faults a,b,c        these faults only
npm run test:faults -- --faults all          the long ones as well
npm run test:faults -- --calm                the next fault only when the one before has been recovered from
npm run test:faults -- --backlog 10000       instead: so many orders that wait in PostgreSQL, and FLUSHALL while they are done
npm run test:faults -- --isolation 60        instead: how long orders take in peace, and while the mail server hangs
npm run test:faults -- --list                what faults there are
npm run test:faults -- --help                this text`;

export interface Arguments {
  seed: number;
  seconds: number;
  faults: string[];
  calm: boolean;
  /** How many orders are to wait; null for a run of faults. */
  backlog: number | null;
  /** Seconds of each half of the measurement; null for a run of faults. */
  isolation: number | null;
  list: boolean;
  help: boolean;
}

const SEEDS = 1_000_000;

/** @throws for anything it does not know, with a message for people. */
export function readArguments(argv: string[]): Arguments {
  const { values } = parseArgs({
    args: argv,
    options: {
      seed: { type: 'string' },
      seconds: { type: 'string' },
      faults: { type: 'string' },
      calm: { type: 'boolean' },
      backlog: { type: 'string' },
      isolation: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const faults = chosenFaults(values.faults);
  return {
    seed: wholeNumber('seed', values.seed, randomInt(SEEDS)),
    seconds: wholeNumber('seconds', values.seconds, 30),
    faults,
    calm: values.calm ?? false,
    backlog: values.backlog === undefined ? null : wholeNumber('backlog', values.backlog, 0),
    isolation:
      values.isolation === undefined ? null : wholeNumber('isolation', values.isolation, 0),
    list: values.list ?? false,
    help: values.help ?? false,
  };
}

function chosenFaults(text: string | undefined): string[] {
  if (text === undefined) return [...SHORT_FAULTS];
  if (text === 'all') return Object.keys(FAULTS);
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) faultNamed(name);
  return names;
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`--${name} is a whole number, not "${text}"`);
  return Number(text);
}
