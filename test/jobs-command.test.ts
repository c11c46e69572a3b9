import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type Database } from '@gatehouse/db/client';
import { insertEmails } from '@gatehouse/db/emails';
import { type Guard, startGuard } from '@gatehouse/local/guard';
import { createDatabaseIfMissing } from '@gatehouse/local/postgres-admin';
import { enterableBase } from '@gatehouse/local/postgres-home';
import { serverAccount } from '@gatehouse/local/server-account';
import { addDeadJobs, type DeadJobChanges } from '@gatehouse/testing/dead-jobs';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { startTestPostgres, TEMPLATE } from '@gatehouse/testing/postgres';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { newId } from '../packages/domain/src/id.ts';
import { ROOT } from './repository.ts';

const dir = mkdtempSync(join(enterableBase(tmpdir(), serverAccount()), 'gatehouse-jobs-'));
let url: string;
let db: Database;
let accountId: string;
let guard: Guard;
let stopPostgres: () => Promise<void>;

beforeAll(async () => {
  // The user that Postgres runs as has to pass through.
  chmodSync(dir, 0o755);
  guard = await startGuard(join(dir, 'run.json'), [dir]);
  const postgres = await startTestPostgres(dir, guard);
  stopPostgres = () => postgres.stop();
  await createDatabaseIfMissing(postgres.url('postgres'), 'jobs', TEMPLATE);
  url = postgres.url('jobs');
  db = createDatabase(url);
  ({ accountId } = await createTestAccount(db));
});

afterAll(async () => {
  await db.$disconnect();
  await stopPostgres();
  await guard.release();
  rmSync(dir, { recursive: true, force: true });
});

beforeEach(async () => {
  await db.job.deleteMany();
});

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command as a process, as `npm run jobs` does. */
function jobs(args: string[], environment: NodeJS.ProcessEnv = { DATABASE_URL: url }) {
  const options = { cwd: ROOT, env: { PATH: process.env.PATH, ...environment } };
  return new Promise<Outcome>((resolve) => {
    execFile(process.execPath, ['scripts/jobs.ts', ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** Mails that are owed, with jobs that are dead unless told otherwise; their ids in the order of creation. */
async function addJobs(count: number, changes: DeadJobChanges = {}): Promise<string[]> {
  const lastError = 'Error: 451 mailbox unavailable\n    at somewhere';
  const ids = await addDeadJobs(db, count, { generation: 0, lastError, ...changes });
  await db.$transaction((tx) =>
    insertEmails(
      tx,
      ids.map((id) => ({
        id,
        accountId,
        recipient: 'ada@example.test',
        template: 'task-reminder',
        data: {},
      })),
    ),
  );
  return ids;
}

const lines = ({ stdout }: Outcome) => stdout.trimEnd().split('\n');
const everything = () => db.job.findMany({ orderBy: { id: 'asc' } });

it('tells how to use it, and what it did not understand', async () => {
  const help = await jobs(['--help']);
  expect([help.code, help.stderr]).toEqual([0, '']);
  for (const word of ['owed', 'dead', 'redrive', 'cancel', 'pause', 'resume', '--dry-run'])
    expect(help.stdout).toContain(word);

  await addJobs(1);
  const before = await everything();
  for (const [args, message] of [
    [[], 'what is to be done'],
    [['revive'], 'there is no command revive'],
    [['dead', '--queue', 'nowhere'], 'there is no queue nowhere'],
    [['dead', '--colour'], "Unknown option '--colour'"],
    [['dead', '--limit', 'all'], '--limit takes a number'],
    [['cancel'], 'cancel takes the ids'],
    [['cancel', 'everything'], 'everything is not the id of a job'],
    [['cancel', '--queue', 'mail'], 'cancel takes the ids'],
    [['redrive', '--queue', 'mail', newId()], 'either ids'],
    [['owed', '--dry-run'], '--dry-run is for'],
    [['pause'], 'pause takes the name of one queue'],
    [['resume', 'mail', 'tasks'], 'resume takes the name of one queue'],
    [['pause', '--queue', 'mail'], 'pause takes the name of one queue'],
    [['pause', 'nowhere'], 'there is no queue nowhere'],
    [['pause', 'mail', '--dry-run'], '--dry-run is for'],
  ] as const) {
    const { code, stdout, stderr } = await jobs([...args]);
    expect([args, code, stdout]).toEqual([args, 2, '']);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  }
  expect(await everything()).toEqual(before);
});

it('says in one line when there is no database to ask', async () => {
  const nowhere = await jobs(['owed'], { GATEHOUSE_DIR: join(dir, 'none') });
  expect([nowhere.code, nowhere.stderr]).toEqual([
    1,
    'no stack is running here: `npm start` first, or set DATABASE_URL\n',
  ]);
  const dead = await jobs(['owed'], { DATABASE_URL: 'postgres://127.0.0.1:1/none' });
  expect([dead.code, dead.stderr]).toEqual([1, 'PostgreSQL does not answer\n']);
});

it('counts what is owed, with the age of the oldest', async () => {
  expect(lines(await jobs(['owed']))).toEqual(['nothing is owed']);
  await addJobs(2);
  await addJobs(1, { createdAt: new Date(Date.now() - 3 * 3_600_000 - 1_000) });
  await addJobs(1, { queue: 'trades', name: 'execute-trade', state: 'waiting' });
  const owed = await jobs(['owed']);
  expect([owed.code, owed.stderr]).toEqual([0, '']);
  expect(lines(owed).map((line) => line.split(/ {2,}/))).toEqual([
    ['queue', 'name', 'state', 'jobs', 'oldest'],
    ['mail', 'send-email', 'dead', '3', '3 h'],
    ['trades', 'execute-trade', 'waiting', '1', expect.stringMatching(/^\d+ s$/)],
  ]);
});

it('lists dead letters, newest first, with the first line of their errors', async () => {
  const [older = '', newer = ''] = await addJobs(2);
  await addJobs(1, { state: 'waiting' });
  const [trade = ''] = await addJobs(1, { queue: 'trades', name: 'execute-trade' });
  const ids = (outcome: Outcome) => outcome.stdout.match(/^[0-9a-f-]{36}(?= )/gm);
  const all = await jobs(['dead']);
  expect(ids(all)).toEqual([trade, newer, older]);
  expect(all.stdout).toMatch(/^ +110 attempts since .*Z: Error: 451 mailbox unavailable$/m);
  expect(lines(all).at(-1)).toBe('3 jobs are dead');
  expect(ids(await jobs(['dead', '--queue', 'trades']))).toEqual([trade]);
  const cut = await jobs(['dead', '--name', 'send-email', '--limit', '1']);
  expect(ids(cut)).toEqual([newer]);
  expect(lines(cut).at(-1)).toBe('2 jobs are dead, 1 are shown');
});

it('redrives what is dead, of a queue and a name or by id, and on a dry run nothing', async () => {
  const [one = '', two = ''] = await addJobs(2);
  await addJobs(1, { name: 'other-mail' });
  await addJobs(1, { queue: 'trades' });
  const [running = ''] = await addJobs(1, { state: 'dispatched' });
  const dead = () => db.job.count({ where: { state: 'dead' } });
  const before = await everything();
  const dry = await jobs(['redrive', '--queue', 'mail', '--dry-run']);
  expect(lines(dry)).toEqual(['3 jobs are dead and would be redriven']);
  const dryOne = await jobs(['redrive', '--dry-run', one]);
  expect(lines(dryOne)).toEqual([`${one} would be redriven`]);
  expect(await everything()).toEqual(before);

  const absent = newId();
  const some = await jobs(['redrive', running, one, absent]);
  expect([some.code, lines(some)]).toEqual([1, [`${one} is redriven`]]);
  expect(some.stderr).toBe(
    `${running} is not redriven: it is dispatched\n${absent} is not redriven: there is no such job, or it is done\n`,
  );
  expect(await db.job.findMany({ where: { state: 'waiting' } })).toMatchObject([
    { id: one, attempts: 0, generation: 1 },
  ]);

  const named = await jobs(['redrive', '--queue', 'mail', '--name', 'send-email']);
  expect([named.code, lines(named)]).toEqual([0, ['1 dead, 1 redriven']]);
  expect(await db.job.findUnique({ where: { id: two } })).toMatchObject({ state: 'waiting' });
  expect(await dead()).toBe(2);
  expect(lines(await jobs(['redrive']))).toEqual(['2 dead, 2 redriven']);
  expect(await dead()).toBe(0);
});

it('cancels by id, with what the job was about, and tells what it could not cancel', async () => {
  const [one = '', two = ''] = await addJobs(2);
  const [running = ''] = await addJobs(1, { state: 'dispatched' });
  const status = async (id: string) => (await db.email.findUniqueOrThrow({ where: { id } })).status;
  expect(lines(await jobs(['cancel', '--dry-run', one]))).toEqual([`${one} would be canceled`]);
  expect([await status(one), await db.job.count()]).toEqual(['queued', 3]);

  expect((await jobs(['cancel', one])).code).toBe(0);
  const mixed = await jobs(['cancel', one, running, two]);
  expect([mixed.code, lines(mixed)]).toEqual([1, [`${two} is canceled`]]);
  expect(mixed.stderr.split('\n')).toHaveLength(3);
  expect(await Promise.all([one, two, running].map(status))).toEqual([
    'canceled',
    'canceled',
    'queued',
  ]);
  expect(await everything()).toMatchObject([{ id: running }]);
});

it('pauses a queue and resumes it, and names what is paused beside what is owed', async () => {
  const paused = async () => (await db.queuePause.findMany()).map(({ queue }) => queue).sort();
  expect(lines(await jobs(['pause', 'tasks']))).toEqual(['tasks is paused']);
  expect(lines(await jobs(['pause', 'mail']))).toEqual(['mail is paused']);
  const since = await db.queuePause.findMany({ orderBy: { queue: 'asc' } });
  expect(lines(await jobs(['pause', 'mail']))).toEqual(['mail was paused before']);
  expect(await db.queuePause.findMany({ orderBy: { queue: 'asc' } })).toEqual(since);
  expect(lines(await jobs(['owed']))).toEqual([
    'nothing is owed',
    ...since.map(({ queue, pausedAt }) => `${queue} is paused since ${pausedAt.toISOString()}`),
  ]);
  expect(lines(await jobs(['resume', 'mail']))).toEqual(['mail is resumed']);
  expect(await paused()).toEqual(['tasks']);
  const again = await jobs(['resume', 'mail']);
  expect([again.code, lines(again)]).toEqual([0, ['mail was not paused']]);
  await jobs(['resume', 'tasks']);
  expect(await paused()).toEqual([]);
});

// Ten processes, one after the other: on a busy machine they take their time.
it('writes down what it changed, and who typed it where; a dry run and what was refused are no change', {
  timeout: 180_000,
}, async () => {
  const since = await db.auditEntry.count();
  const [one = '', two = '', running = ''] = await addJobs(3);
  await db.job.update({ where: { id: running }, data: { state: 'dispatched' } });
  const unchanging = [
    ['cancel', '--dry-run', one],
    ['redrive', '--dry-run'],
    ['redrive', running, newId()],
    ['resume', 'mail'],
  ];
  await Promise.all(unchanging.map((args) => jobs(args)));
  expect(await db.auditEntry.count()).toBe(since);

  for (const args of [
    ['redrive', one],
    ['cancel', two, running],
    ['pause', 'mail'],
    ['pause', 'mail'],
    ['resume', 'mail'],
    ['redrive', '--queue', 'mail'],
  ])
    await jobs(args);
  const entries = (await db.auditEntry.findMany({ orderBy: { id: 'asc' } })).slice(since);
  const from = { user: userInfo().username, host: hostname() };
  const job = (about: string) => ({ ...from, name: 'send-email', about });
  const told = entries.map(({ action, subjectType, subjectId, details }) => [
    `${action} ${subjectType} ${subjectId}`,
    details,
  ]);
  expect(told).toEqual([
    [`job.redriven job ${one}`, job(one)],
    [`job.canceled job ${two}`, job(two)],
    ['queue.paused queue mail', from],
    ['queue.resumed queue mail', from],
    ['jobs.redriven queue mail', { ...from, name: null, matched: 0 }],
  ]);
  for (const { actorId, credential } of entries)
    expect([actorId, credential]).toEqual([null, 'command_line']);
});
