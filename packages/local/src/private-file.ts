import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';

/**
 * Writes a file at once and whole: who reads it sees what was or what is, also after a crash. Only its owner may read
 * it, who stays the same when it is replaced, also by root.
 */
export function writePrivateFile(path: string, text: string): void {
  // A link stays one.
  const file = existsSync(path) ? realpathSync(path) : path;
  const before = existsSync(file) ? statSync(file) : null;
  const draft = `${file}.${process.pid}`;
  // Of a process that died here under the same id, as in a container.
  rmSync(draft, { force: true });
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(descriptor, text);
    if (before !== null && process.getuid?.() !== before.uid) {
      chownSync(draft, before.uid, before.gid);
    }
    fsyncSync(descriptor);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
