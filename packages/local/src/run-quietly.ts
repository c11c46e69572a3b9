import { spawn } from 'node:child_process';

/** Runs a command to its end without showing its output; gives its last line if it failed, null if it did not. */
export function runQuietly(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer) => {
      output = `${output}${chunk.toString('utf8')}`.slice(-4096);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => {
      resolve(code === 0 ? null : (output.trim().split('\n').at(-1) ?? `code ${code}`));
    });
  });
}
