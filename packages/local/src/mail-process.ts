import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MailDev } from 'maildev';

/** Bounds its memory; the oldest messages go first. */
const KEPT_WHILE_RUNNING = 20_000;
/** Every message kept over a restart is parsed again at the start. */
const KEPT_OVER_RESTART = 200;

const [dir, smtpPort, webPort] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: mail-process.ts <dir> <smtp port> <web port>');

prune(dir);
const maildev = new MailDev({
  smtp: Number(smtpPort),
  ip: '127.0.0.1',
  web: Number(webPort),
  webIp: '127.0.0.1',
  mailDirectory: dir,
  maxEmails: KEPT_WHILE_RUNNING,
  silent: true,
});
await maildev.start();
process.once('SIGTERM', async () => {
  await maildev.stop();
  process.exit(0);
});
process.send?.({ type: 'ready' });

/** Keeps the newest messages of the last run: `<id>.eml`, with `<id>.meta.json` and a directory `<id>` of attachments. */
function prune(mailDir: string): void {
  const messages = readdirSync(mailDir)
    .filter((name) => name.endsWith('.eml'))
    .map((name) => ({ id: name.slice(0, -4), at: statSync(join(mailDir, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { id } of messages.slice(KEPT_OVER_RESTART)) {
    for (const name of [`${id}.eml`, `${id}.meta.json`, id]) {
      rmSync(join(mailDir, name), { recursive: true, force: true });
    }
  }
}
