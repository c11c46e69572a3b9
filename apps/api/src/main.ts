import type { AddressInfo } from 'node:net';
import closeWithGrace from 'close-with-grace';
import { buildApp } from './app.ts';
import { readConfig } from './config.ts';
import { listenInternally } from './internal.ts';
import { loggerOptions } from './log.ts';

async function main(): Promise<void> {
  const config = readConfig();
  const app = await buildApp(config, loggerOptions(config.LOG_LEVEL));
  closeWithGrace(
    { delay: config.SHUTDOWN_DEADLINE_SECONDS * 1_000, logger: app.log },
    async ({ err }) => {
      if (err !== undefined) app.log.error({ err }, 'closing after an error');
      await app.close();
    },
  );
  const internalUrl = await listenInternally(app, config);
  await app.listen({ host: config.HOST, port: config.PORT });
  const { port } = app.server.address() as AddressInfo;
  // The local supervisor waits for this; without one there is nobody to tell.
  process.send?.({ type: 'ready', url: `http://${config.HOST}:${port}`, internalUrl });
}

main().catch((error: unknown) => {
  console.error(`the gateway cannot start: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
});
