import { createBroker } from '@gatehouse/market/brokers';
import { createQuoteSource } from '@gatehouse/market/quote-sources';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { type Config, readConfig } from './config.ts';
import { startWatchdog } from './watchdog.ts';
import { startWorker } from './worker.ts';

const config = configure();
const log = pino({ level: config.LOG_LEVEL, base: { app: 'worker', pid: process.pid } });
startWatchdog(log);
const quotes = createQuoteSource(config);
const broker = createBroker(config);
const worker = await startWorker(config, { quotes, broker, log });

closeWithGrace(
  { delay: config.SHUTDOWN_DEADLINE_SECONDS * 1_000, logger: log },
  async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'the worker met an error that nobody handles');
    log.info({ signal }, 'the worker is shutting down');
    await worker.close();
    await quotes.close();
    await broker?.close();
  },
);

log.info({ internalUrl: worker.internalUrl }, 'the worker is ready');
// For whoever supervises it. Should the supervisor be gone, the worker works on.
process.send?.({ type: 'ready', url: null, internalUrl: worker.internalUrl }, (error: unknown) => {
  if (error) log.warn({ err: error }, 'nobody is told that the worker is ready');
});

function configure(): Config {
  try {
    return readConfig();
  } catch (error) {
    console.error(`The worker cannot start: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}
