import { createDatabase } from '@gatehouse/db/client';
import { isDatabaseUnavailable } from '@gatehouse/db/errors';
import { QUEUES } from '@gatehouse/jobs/definition';
import { cancel, dead, owed, pause, redrive, redriveById, resume } from './job-commands.ts';
import { findDatabase } from './target.ts';
import { messageOf, readArguments, runCommand, UsageError } from './usage.ts';

const USAGE = `npm run jobs -- <command>: what the system owes, and dead letters

  owed                                what is owed, by queue, name and state, and for how long; and what is paused
  dead [--queue q] [--name n]         the newest jobs whose attempts are used up, with their errors
       [--limit 50]
  redrive [--queue q] [--name n]      gives dead jobs all their attempts anew; without an option all of them
  redrive id...                       the same for these, which may also be waiting for a retry
  cancel id...                        forgives jobs that are dead or waiting: what they owe will never happen
  pause queue                         has a queue stand still within seconds, what is running ends; until it is resumed
  resume queue                        has it run again

  --dry-run                           redrive and cancel: tells what would happen, and changes nothing
  --help                              this text

Takes DATABASE_URL, or the stack that \`npm start\` runs here. Exits with 1 when something could not be done, with 2 when
it was not understood.`;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Runs the command, and resolves with whether all of it could be done. */
async function run(args: string[]): Promise<boolean> {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: {
      queue: { type: 'string' },
      name: { type: 'string' },
      limit: { type: 'string', default: '50' },
      'dry-run': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command, ...subjects] = positionals;
  const { queue, name, limit, 'dry-run': dryRun } = values;
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  const takesQueue = command === 'pause' || command === 'resume';
  const ids = takesQueue ? [] : subjects;
  const isFiltered = queue !== undefined || name !== undefined;
  const named = [...(queue === undefined ? [] : [queue]), ...(takesQueue ? subjects : [])];
  const unknown = named.find((name) => !QUEUES.some((known) => known === name));
  if (unknown !== undefined)
    throw new UsageError(`there is no queue ${unknown}, only ${QUEUES.join(', ')}`);
  const bad = ids.find((id) => !UUID.test(id));
  if (bad !== undefined) throw new UsageError(`${bad} is not the id of a job`);
  if (!/^[1-9]\d{0,4}$/.test(limit)) throw new UsageError(`--limit takes a number up to 99999`);
  const takesIds = command === 'redrive' || command === 'cancel';
  if (ids.length > 0 && !takesIds) throw new UsageError(`${command} takes no ids`);
  if (ids.length > 0 && isFiltered)
    throw new UsageError('either ids, or --queue and --name: not both');
  if (dryRun && !takesIds) throw new UsageError('--dry-run is for redrive and cancel');

  switch (command) {
    case 'owed':
      if (isFiltered) throw new UsageError('owed takes neither --queue nor --name');
      return withDatabase(owed);
    case 'dead':
      return withDatabase((db) => dead(db, { queue, name }, Number(limit)));
    case 'redrive':
      return withDatabase((db) =>
        ids.length > 0 ? redriveById(db, ids, dryRun) : redrive(db, { queue, name }, dryRun),
      );
    case 'cancel':
      if (ids.length === 0) throw new UsageError('cancel takes the ids of jobs');
      return withDatabase((db) => cancel(db, ids, dryRun));
    case 'pause':
    case 'resume': {
      const [subject] = subjects;
      if (subject === undefined || subjects.length > 1 || isFiltered)
        throw new UsageError(`${command} takes the name of one queue`);
      return withDatabase((db) => (command === 'pause' ? pause : resume)(db, subject));
    }
    case undefined:
      throw new UsageError('what is to be done? owed, dead, redrive, cancel, pause or resume');
    default:
      throw new UsageError(`there is no command ${command}`);
  }
}

async function withDatabase(
  work: (db: ReturnType<typeof createDatabase>) => Promise<boolean>,
): Promise<boolean> {
  const db = createDatabase(await findDatabase(), { connections: 1 });
  try {
    return await work(db);
  } finally {
    await db.$disconnect();
  }
}

/** Prisma's messages begin with the code that made the call, and end with what is wrong. */
function explain(error: unknown): string {
  if (isDatabaseUnavailable(error)) return 'PostgreSQL does not answer';
  const message = messageOf(error);
  return message.trim().split('\n').at(-1) ?? message;
}

await runCommand(() => run(process.argv.slice(2)), explain);
