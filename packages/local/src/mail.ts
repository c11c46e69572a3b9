import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Guard } from './guard.ts';
import { launchOwn, type Service } from './launch.ts';

const MAIL_PROCESS = fileURLToPath(new URL('./mail-process.ts', import.meta.url));
const STOP_DEADLINE_MS = 5000;

export interface Mail extends Service {
  readonly smtpUrl: string;
  readonly mailUrl: string;
}

export interface MailOptions {
  /** Where the messages are kept. */
  dir: string;
  smtpPort: number;
  webPort: number;
  logFile: string;
  guard?: Guard | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Starts MailDev on 127.0.0.1: an SMTP sink that delivers nothing, and a web page that shows what came in.
 *
 * In a process of its own: it takes most of a second to load, writes to the console, and must not take the stack down.
 */
export async function startMail(options: MailOptions): Promise<Mail> {
  const { dir, smtpPort, webPort, logFile, guard, signal } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const launched = await launchOwn({
    name: 'the mail server',
    args: [MAIL_PROCESS, dir, `${smtpPort}`, `${webPort}`],
    cwd: dir,
    env: {},
    logFile,
    stopDeadlineMs: STOP_DEADLINE_MS,
    guard,
    signal,
  });
  return {
    ...launched,
    smtpUrl: `smtp://127.0.0.1:${smtpPort}`,
    mailUrl: `http://127.0.0.1:${webPort}`,
  };
}
