import {
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';

/**
 * Replaces a file at once and whole: who reads it sees what was or what is, also after a crash. Only its owner may
 * read it, who stays the same, also when root replaces it.
 */
export function replacePrivateFile(path: string, text: string): void {
  // A link stays one.
  const file = realpathSync(path);
  const { uid, gid } = statSync(file);
  const draft = `${file}.${process.pid}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(descriptor, text);
    if (process.getuid?.() !== uid) chownSync(draft, uid, gid);
    fsyncSync(descriptor);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
