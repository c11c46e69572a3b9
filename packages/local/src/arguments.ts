import { parseArgs } from 'node:util';
import { oneLine, StartError } from './errors.ts';

export const USAGE = `npm start                 start Gatehouse with everything it needs; Ctrl-C stops it
npm start -- --fresh      the same, with the data of earlier runs deleted
npm start -- --help       this text

Settings are environment variables, or lines in a file .env: see .env.example.`;

/** @throws StartError for anything it does not know. */
export function readArguments(argv: string[]): { fresh: boolean; help: boolean } {
  try {
    const { values } = parseArgs({
      args: argv,
      options: { fresh: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    return { fresh: values.fresh ?? false, help: values.help ?? false };
  } catch (error) {
    throw new StartError(`${oneLine(error)} (npm start -- --help lists what there is)`);
  }
}
