import process from 'node:process';
import { readArguments, USAGE } from './arguments.ts';
import { runBacklog } from './backlog.ts';
import { backlogLines } from './backlog-report.ts';
import { FAULTS, SHORT_FAULTS } from './catalogue.ts';
import { runIsolation } from './isolation.ts';
import { reportLines } from './report.ts';
import { runSuite } from './suite.ts';

/** `npm run test:faults`: one run of the fault suite. Gives the exit code. */
async function main(): Promise<number> {
  const { seed, seconds, faults, calm, backlog, isolation, list, help } = readArguments(
    process.argv.slice(2),
  );
  if (help) {
    console.log(USAGE);
    return 0;
  }
  if (list) {
    for (const [name, { describe, isLong }] of Object.entries(FAULTS)) {
      console.log(
        `${name.padEnd(26)}${describe}${isLong ? ' (long: only when named, or with all)' : ''}`,
      );
    }
    return 0;
  }
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  if (isolation !== null) {
    await runIsolation({ seconds: isolation, say: console.log, signal: interrupted.signal });
    return 0;
  }
  if (backlog !== null) {
    const report = await runBacklog(backlog, { say: console.log, signal: interrupted.signal });
    for (const line of backlogLines(report)) console.log(line);
    return report.findings.length === 0 ? 0 : 1;
  }
  console.log(`seed ${seed}: ${seconds} s of ${faults.length} kinds of faults`);
  const { signal } = interrupted;
  const report = await runSuite({ seed, seconds, faults, calm, say: console.log, signal });
  const chosen = `${faults}` === `${SHORT_FAULTS}` ? '' : ` --faults ${faults}`;
  const replay = `npm run test:faults -- --seed ${seed} --seconds ${seconds}${calm ? ' --calm' : ''}${chosen}`;
  for (const line of reportLines(report, replay)) console.log(line);
  return report.findings.length === 0 ? 0 : 1;
}

process.exit(
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }),
);
