import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase, type Database } from '@gatehouse/db/client';
import { checkHistory, type Tally, tally } from './check-history.ts';
import { type Client, createClient } from './client.ts';
import { cycle } from './cycle.ts';
import { readFacts } from './facts.ts';
import { type FaultyStack, startFaultyStack } from './faulty-stack.ts';
import { type Account, openAccount } from './gateway.ts';
import { finalAnswers, type History } from './history.ts';
import { brokenInvariants } from './invariants.ts';
import { startListening } from './listener.ts';
import { untilQuiet } from './quiet.ts';
import { type Random, seededRandom } from './random.ts';
import { measureRecovery } from './recovery.ts';
import { type Finding, finding } from './rules/rule.ts';
import { type Injected, runStorm } from './storm.ts';
import { createStripeHand, type StripeHand } from './stripe-hand.ts';
import { createWishes } from './wishes.ts';
import { runWorkload } from './workload.ts';

const ACCOUNTS = 4;
const CLIENTS = 8;
/** A client that has no answer this long after the last fault gives up. */
const PATIENCE_MS = 60_000;
const RECOVERY_MS = 120_000;
const QUIET_MS = 180_000;
/** Requests that are sent once more when all is over. */
const REPEATED = 200;

export interface SuiteOptions {
  seed: number;
  /** For how long faults are injected. */
  seconds: number;
  /** Names of faults. */
  faults: readonly string[];
  /** Whether each fault waits until the one before has been recovered from. */
  calm: boolean;
  /** Takes a line about what happens. */
  say: (line: string) => void;
  /** Ends the run early: it throws. */
  signal: AbortSignal;
}

export interface Report {
  findings: Finding[];
  tally: Tally;
  injected: Injected[];
  /** Where the logs of the stack are; null when they were not worth keeping. */
  logs: string | null;
}

/**
 * One run: starts a stack, has clients use it while faults are injected, waits until it is quiet, and holds what
 * the clients were told against what there is.
 *
 * The seed fixes what is asked for and which faults come in which order; how they meet is up to the machine.
 */
export async function runSuite(options: SuiteOptions): Promise<Report> {
  const stack = await startFaultyStack();
  const db = createDatabase(stack.now().databaseUrl, { connections: 3 });
  let keepLogs = true;
  try {
    const report = await runOn(stack, db, options);
    keepLogs = report.findings.length > 0;
    return { ...report, logs: keepLogs ? stack.logs : null };
  } finally {
    await db.$disconnect();
    await stack.stop({ keepLogs: keepLogs && !options.signal.aborted });
  }
}

async function runOn(stack: FaultyStack, db: Database, options: SuiteOptions): Promise<Report> {
  const random = seededRandom(options.seed);
  const history: History = [];
  const { apiUrls: urls } = stack.now();
  const accounts = await openAccounts(urls);
  const client = (account: Account, name: string, giveUp: AbortSignal): Client =>
    createClient({ account, urls, random: random.fork(name), history, giveUp });

  const stripe = createStripeHand(stack);
  const ears = await startListening(cycle(urls, 0), accounts, random.fork('ears'));
  try {
    const injected = await useAndInject(stack, db, options, { random, accounts, client, stripe });
    options.signal.throwIfAborted();

    const unrest = await unrestOf(stack, db, stripe);
    await repeatSome(history, random.fork('repeat'), accounts, client);
    const ids = accounts.map(({ id }) => id);
    const facts = await readFacts(db, ids, { mailDir: stack.mailDir, stripe, ...ears });
    const evidence = { history, facts };
    const broken = await brokenInvariants(stack.now());
    const findings = [...unrest, ...checkHistory(evidence), ...broken];
    return { findings, tally: tally(evidence), injected, logs: null };
  } finally {
    await ears.close();
  }
}

interface Crowd {
  stripe: StripeHand;
  random: Random;
  accounts: readonly Account[];
  client(account: Account, name: string, giveUp: AbortSignal): Client;
}

/** Returns when the last fault is over and each client has its last answer, or has given up. */
async function useAndInject(
  stack: FaultyStack,
  db: Database,
  { seconds, faults: names, calm, say, signal }: SuiteOptions,
  { random, accounts, client, stripe }: Crowd,
): Promise<Injected[]> {
  const { apiUrls: urls } = stack.now();
  const wishes = createWishes(random.fork('wishes'));
  const stop = new AbortController();
  const givingUp = new AbortController();
  const clients = Array.from({ length: CLIENTS }, (_, index) =>
    client(cycle(accounts, index), `client ${index}`, givingUp.signal),
  );
  const working = runWorkload(clients, wishes, stripe, random.fork('workload'), stop.signal);
  const measure = (name: string) => {
    const giveUp = AbortSignal.any([givingUp.signal, AbortSignal.timeout(RECOVERY_MS)]);
    const probe = client(cycle(accounts, 0), `after ${name}`, giveUp);
    return measureRecovery({ client: probe, wishes, urls, db, giveUp });
  };
  const storm = { stack, random: random.fork('storm'), names, seconds, calm, say, signal };
  const storming = runStorm({ ...storm, measure }).finally(() => stop.abort());
  const untilAnswered = storming.then(() =>
    Promise.race([working, delay(PATIENCE_MS, undefined, { ref: false })]),
  );
  const [injected] = await Promise.all([
    storming,
    untilAnswered.finally(() => givingUp.abort()),
    working,
  ]);
  return injected;
}

function openAccounts(urls: readonly string[]): Promise<Account[]> {
  return Promise.all(
    Array.from({ length: ACCOUNTS }, (_, index) =>
      openAccount(cycle(urls, index), `client-${index}`, { withKey: index % 2 === 0 }),
    ),
  );
}

async function unrestOf(stack: FaultyStack, db: Database, stripe: StripeHand): Promise<Finding[]> {
  try {
    await stripe.deliverAll(QUIET_MS);
    await untilQuiet(stack, db, QUIET_MS);
    return [];
  } catch (error) {
    return [finding('lost', error instanceof Error ? error.message : String(error))];
  }
}

/** What was answered once is answered alike for a day, whoever has died since. */
async function repeatSome(
  history: History,
  random: Random,
  accounts: readonly Account[],
  client: Crowd['client'],
): Promise<void> {
  const answered = history.filter((asked) => finalAnswers(asked).length > 0);
  const chosen = Map.groupBy(
    random.shuffled(answered).slice(0, REPEATED),
    ({ accountId }) => accountId,
  );
  await Promise.all(
    accounts.map(async (account) => {
      const own = client(account, `repeats of ${account.id}`, AbortSignal.timeout(PATIENCE_MS));
      for (const asked of chosen.get(account.id) ?? []) await own.repeat(asked);
    }),
  );
}
