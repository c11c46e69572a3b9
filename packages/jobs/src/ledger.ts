import type { Transaction } from '@gatehouse/db/client';
import { insertJobs, type NewJob } from '@gatehouse/db/jobs';
import { insertSingleJobs } from '@gatehouse/db/single-jobs';
import { afterCommit } from '@gatehouse/db/transaction';
import { newId } from '@gatehouse/domain/id';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import type { IdPayload, JobDefinition } from './definition.ts';
import type { Dispatcher } from './dispatcher.ts';

export interface EnqueueOptions {
  /** The request that caused the job. */
  requestId: string | null;
  /** Not before this time, by the database's clock. Until then the job stays in Postgres. */
  runAt?: Date;
  /** Not for so many milliseconds, by the database's clock: a time of our own would be wrong when our clock is. */
  delayMs?: number;
  /** From 0, which goes first and is the default, to 9: for what can wait when there is much to do. */
  priority?: number;
}

export interface OneOptions extends EnqueueOptions {
  /**
   * Of a single job: somebody has asked for it who may have mended what made it fail. One that is dead, waits after a
   * failure or was put off begins anew with all its attempts.
   */
  revives?: boolean;
}

/** The debts of the system: docs/adr/0001-job-ledger.md. */
export interface JobLedger {
  /**
   * Inserts a job in the transaction of what causes it, and hands it to BullMQ after the commit. It will run at
   * least once, and settle exactly once. Of a single job that is owed already, brings that one forward.
   *
   * @throws when the payload does not fit its schema, or `tx` was not opened by `transaction()`
   */
  enqueue<P extends IdPayload>(
    tx: Transaction,
    definition: JobDefinition<P>,
    payload: Static<P>,
    options: OneOptions,
  ): Promise<void>;
  /** `enqueue` for many of a kind, in one statement. */
  enqueueAll<P extends IdPayload>(
    tx: Transaction,
    definition: JobDefinition<P>,
    jobs: readonly (EnqueueOptions & { payload: Static<P> })[],
  ): Promise<void>;
  /** The row that `enqueue` would insert, for a statement that inserts many; `dispatch` it after the commit. */
  plan<P extends IdPayload>(
    definition: JobDefinition<P>,
    payload: Static<P>,
    options: EnqueueOptions,
  ): NewJob;
  /** Hands planned jobs that are committed to BullMQ. Never throws: what fails is left to the relay. */
  dispatch(jobs: readonly NewJob[]): void;
}

export function createJobLedger(dispatcher: Dispatcher): JobLedger {
  const plan: JobLedger['plan'] = (
    definition,
    payload,
    { requestId, runAt, delayMs = 0, priority = 0 },
  ) => {
    const parsed: Record<string, string> = Value.Parse(definition.payload, payload);
    const subjectId = parsed[definition.subject];
    if (subjectId === undefined) throw new Error(`${definition.name} has no subject`);
    const groupKey =
      definition.groupKey === undefined ? null : (parsed[definition.groupKey] ?? null);
    // What is due, and whose turn it is, only the database knows.
    const mayGo = runAt === undefined && delayMs === 0 && groupKey === null;
    return {
      id: newId(),
      queue: definition.queue,
      name: definition.name,
      subjectId,
      payload: parsed,
      // Marked as dispatched beforehand: to mark it afterwards would cost a write per job.
      state: mayGo && dispatcher.accepts(definition.queue) ? 'dispatched' : 'waiting',
      runAt: runAt ?? null,
      delayMs,
      priority,
      groupKey,
      requestId,
    };
  };
  const dispatch: JobLedger['dispatch'] = (jobs) => {
    dispatcher.dispatch(
      jobs.filter((job) => job.state === 'dispatched').map((job) => ({ ...job, generation: 0 })),
    );
  };
  const insert = async (
    tx: Transaction,
    { isSingle }: JobDefinition,
    rows: readonly NewJob[],
    revives = false,
  ): Promise<void> => {
    if (isSingle) {
      const dispatched = await insertSingleJobs(tx, rows, { revives });
      afterCommit(tx, () => dispatcher.dispatch(dispatched));
      return;
    }
    await insertJobs(tx, rows);
    afterCommit(tx, () => dispatch(rows));
  };
  return {
    plan,
    dispatch,
    enqueueAll: async (tx, definition, jobs) => {
      const rows = jobs.map(({ payload, ...options }) => plan(definition, payload, options));
      await insert(tx, definition, rows);
    },
    enqueue: async (tx, definition, payload, { revives, ...options }) =>
      insert(tx, definition, [plan(definition, payload, options)], revives),
  };
}
