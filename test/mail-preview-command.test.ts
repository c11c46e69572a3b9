import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { listen } from '@gatehouse/testing/listen';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from './repository.ts';

/** Runs it as `npm run mail:preview` does, without the watching. */
function preview(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['scripts/mail-preview.ts', ...args],
      { cwd: ROOT },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

it('says in one line why it cannot start, as the other commands do', async () => {
  const server = createServer();
  const taken = `${await listen(server)}`;
  onTestFinished(() => void server.close());
  for (const [args, code, message] of [
    [['--port', '70000'], 2, /^--port takes a number from 0 to 65535 \(--help .*\)\n$/],
    [['--port', 'web'], 2, /^--port takes a number from 0 to 65535 \(--help .*\)\n$/],
    [['--nonsense'], 2, /^Unknown option '--nonsense' \(--help .*\)\n$/],
    [['--port', '--help'], 2, /^Option '--port' argument is ambiguous \(--help .*\)\n$/],
    [['--port', taken], 1, new RegExp(`^port ${taken} is taken: choose another with --port\n$`)],
  ] as const) {
    expect(await preview(...args)).toEqual({
      code,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
  }
});

it('tells how it is used', async () => {
  const { code, stdout, stderr } = await preview('--help');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('npm run mail:preview');
});
