import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ifPresent } from './errors.ts';

const TAIL_BYTES = 8192;

/** The last lines of a log, each on a line of its own and indented: what a failed start has to say for itself. */
export function lastLines(file: string, count = 8): string {
  const text = ifPresent(() => tail(file)) ?? '';
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines
    .slice(-count)
    .map((line) => `\n    ${plain(line)}`)
    .join('');
}

function tail(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** A pino line cut down to its message and its error; any other line as it is. */
function plain(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    const parts = [msg, err?.message].filter((part) => part !== undefined);
    return parts.length > 0 ? [...new Set(parts)].join(': ') : line;
  } catch (error) {
    if (error instanceof SyntaxError) return line;
    throw error;
  }
}
