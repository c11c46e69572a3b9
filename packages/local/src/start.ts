import { appendFileSync } from 'node:fs';
import process, { argv, stderr } from 'node:process';
import { readArguments, USAGE } from './arguments.ts';
import { readConfig, type StartConfig } from './config.ts';
import { oneLine, StartError } from './errors.ts';
import { startGuard } from './guard.ts';
import { assertPortFree } from './ports.ts';
import { say } from './progress.ts';
import { haltOnSignals } from './signals.ts';
import { startStack } from './stack.ts';
import { clearStackDir, openStackDir, type StackDir, turnLogs } from './stack-dir.ts';
import { removeStackFile } from './stack-file.ts';
import { printSummary } from './summary.ts';
import { Teardown } from './teardown.ts';

/** `npm start`: up, until Ctrl-C or SIGTERM, and down again. Gives the exit code. */
async function main(): Promise<number> {
  const { fresh, help } = readArguments(argv.slice(2));
  if (help) {
    say(USAGE);
    return 0;
  }
  const config = readConfig();
  const dir = openStackDir(config.dir);
  const guard = await startGuard(dir.record, [dir.stack]);
  const teardown = new Teardown();
  const halt = haltOnSignals(() => {
    teardown.kill();
    removeStackFile(dir.stack);
  });
  try {
    removeStackFile(dir.stack);
    await assertPortsFree(config);
    if (fresh) clearStackDir(dir, config.databaseUrl !== null);
    turnLogs(dir);
    const stack = await startStack({ config, dir, guard, teardown, signal: halt.signal });
    printSummary(stack, { stack: dir.stack, logs: dir.logs });
    await fired(halt.signal);
  } catch (error) {
    if (!halt.signal.aborted) return report(error, dir);
  } finally {
    if (halt.signal.aborted) say('\nstopping');
    halt.abort();
    removeStackFile(dir.stack);
    for (const failure of await teardown.stop()) say(`  ${failure}`);
    await guard.release();
  }
  say('stopped');
  return 0;
}

async function assertPortsFree(config: StartConfig): Promise<void> {
  for (const [index, port] of config.ports.entries()) {
    await assertPortFree(port, index === 0 ? 'PORT' : 'PORT or APIS', config.host);
  }
  if (config.metricsPort !== 0)
    await assertPortFree(config.metricsPort, 'METRICS_PORT', config.host);
}

function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

/** Prints one line; what only helps whoever mends the code goes to a log. */
function report(error: unknown, dir: StackDir | null): 1 {
  if (error instanceof StartError) {
    stderr.write(`gatehouse: ${error.message}\n`);
    return 1;
  }
  if (dir) {
    const trace = error instanceof Error ? error.stack : String(error);
    appendFileSync(dir.logFile('start'), `${trace}\n`);
  }
  stderr.write(`gatehouse: ${oneLine(error)}${dir ? ` (more in ${dir.logFile('start')})` : ''}\n`);
  return 1;
}

process.exit(await main().catch((error: unknown) => report(error, null)));
