import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What was asked for is not understood. */
export class UsageError extends Error {}

/** Reads a command's arguments. @throws UsageError for those it does not take */
export function readArguments<T extends ParseArgsConfig>(config: T) {
  return understood(() => parseArgs(config));
}

/** Runs `read`. @throws UsageError that says what it could not be read for */
export function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    // What follows its first sentence is advice on file names that begin with a dash.
    throw new UsageError(messageOf(error).replace(/\.\s.*/s, ''));
  }
}

/** The whole number that an option is. @throws UsageError when it is none, or not in these bounds */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name} takes a number from ${least} to ${most}`);
}

/**
 * Runs a command as this process: it exits with 1 when that throws or says that not all could be done, and with 2 when
 * it was not understood, and says why in a line.
 */
export async function runCommand(
  command: () => unknown,
  explain: (error: unknown) => string = messageOf,
): Promise<void> {
  try {
    if ((await command()) === false) process.exitCode = 1;
  } catch (error) {
    const isUsage = error instanceof UsageError;
    console.error(isUsage ? `${error.message} (--help tells more)` : explain(error));
    process.exitCode = isUsage ? 2 : 1;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A server's failure to listen, as it is to be told. */
export function listenError(error: unknown, port: number): unknown {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  return isTaken ? new Error(`port ${port} is taken: choose another with --port`) : error;
}
