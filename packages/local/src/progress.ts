import { performance } from 'node:perf_hooks';
import { stdout } from 'node:process';

const began = performance.now();

/** Runs one stage of the start and prints a line when it is done: its name, what came of it, how long it took. */
export async function stage<T>(
  name: string,
  run: () => Promise<T>,
  describe: (result: T) => string,
): Promise<T> {
  const start = performance.now();
  const result = await run();
  say(`  ${name.padEnd(10)} ${describe(result)} (${seconds(performance.now() - start)})`);
  return result;
}

// Whoever read the output may be gone; the stack is not to go with them.
stdout.on('error', () => undefined);

/** Prints a line. */
export function say(line: string): void {
  stdout.write(`${line}\n`);
}

/** How long this process has been at it, as in `1.2 s`. */
export function sinceStart(): string {
  return seconds(performance.now() - began);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
