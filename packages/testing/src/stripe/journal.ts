import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface Journal {
  /** What was kept of a kind, each as it was last, oldest first; by its id. */
  read<T>(kind: string): Map<string, T>;
  /** Writes a thing down as it is now, before it returns: what was answered outlives a kill. */
  keep(kind: string, id: string, value: object): void;
}

interface Line {
  readonly kind: string;
  readonly id: string;
  readonly value: object;
}

/** What a fake Stripe knows, in a file to which each change is appended; nowhere when there is no file. */
export function openJournal(file: string | null): Journal {
  if (file === null) return { read: () => new Map(), keep: () => undefined };
  const lines = existsSync(file) ? readLines(readFileSync(file, 'utf8')) : [];
  const draft = `${file}.new`;
  writeFileSync(draft, lines.map(toText).join(''), { mode: 0o600 });
  renameSync(draft, file);
  return {
    // Only what `keep` was given of this kind is in the file.
    read: <T>(kind: string) =>
      new Map(lines.flatMap((line) => (line.kind === kind ? [[line.id, line.value as T]] : []))),
    keep: (kind, id, value) => appendFileSync(file, toText({ kind, id, value })),
  };
}

/** The last line of each thing, in the place of its first. */
function readLines(text: string): Line[] {
  const last = new Map<string, Line>();
  for (const written of text.split('\n')) {
    const line = parse(written);
    if (line !== null) last.set(`${line.kind} ${line.id}`, line);
  }
  return [...last.values()];
}

/** Null for what a kill, or a full disk, cut short: also of two lines that have become one by that. */
function parse(written: string): Line | null {
  try {
    const line: unknown = JSON.parse(written);
    return isLine(line) ? line : null;
  } catch {
    // It was never answered, so that nobody counts on it.
    return null;
  }
}

function isLine(value: unknown): value is Line {
  const { kind, id, value: kept }: Partial<Record<string, unknown>> = { ...Object(value) };
  return (
    typeof kind === 'string' && typeof id === 'string' && typeof kept === 'object' && kept !== null
  );
}

function toText(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}
