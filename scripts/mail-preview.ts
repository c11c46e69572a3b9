import { parseArgs } from 'node:util';
import { startPreviewServer } from '../apps/worker/src/mail/preview-server.ts';

const USAGE = `npm run mail:preview -- [--port 3060]: shows every mail template with its sample, in a browser

  node --watch starts it anew when a template changes, and the page then loads itself again.`;

/** What to say of an error; null of one that nobody foresaw. */
function explain(error: unknown, port: string): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && error.code === 'EADDRINUSE')
    return `Port ${port} is taken: choose another with --port`;
  return 'code' in error && `${error.code}`.startsWith('ERR_PARSE_ARGS')
    ? `${error.message}\n${USAGE}`
    : null;
}

let port = '3060';
try {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: port }, help: { type: 'boolean', default: false } },
  });
  port = values.port;
  if (values.help) console.log(USAGE);
  else if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    console.error(`${port} is no port`);
    process.exitCode = 2;
  } else {
    const server = await startPreviewServer(Number(port));
    const address = server.address();
    if (address !== null && typeof address !== 'string')
      console.log(`Mails: http://127.0.0.1:${address.port}`);
  }
} catch (error) {
  const message = explain(error, port);
  if (message === null) throw error;
  console.error(message);
  process.exitCode = 1;
}
