/** A failure that the person at the terminal can mend: its message is one line and needs no stack. */
export class StartError extends Error {
  override name = 'StartError';
}

/** The message of anything that was thrown, on one line. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' | ').trim();
}

/** The system's code of an error (`ENOENT`, `EADDRINUSE`), or null when it has none. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** Runs `read` and gives null in place of an error that says the file or process does not exist. */
export function ifPresent<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'ENOTDIR'].includes(errorCode(error) ?? '')) return null;
    throw error;
  }
}
