import { startPreviewServer } from '../apps/worker/src/mail/preview-server.ts';
import { listenError, readArguments, runCommand, wholeNumber } from './usage.ts';

const USAGE = `npm run mail:preview -- [--port 3060]: shows every mail template with its sample, in a browser

  node --watch starts it anew when a template changes, and the page then loads itself again.`;

await runCommand(async () => {
  const { values } = readArguments({
    options: {
      port: { type: 'string', default: '3060' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const port = wholeNumber('port', values.port, 0, 65_535);
  const server = await startPreviewServer(port).catch((error) => {
    throw listenError(error, port);
  });
  const address = server.address();
  if (address !== null && typeof address !== 'string')
    console.log(`Mails: http://127.0.0.1:${address.port}`);
});
