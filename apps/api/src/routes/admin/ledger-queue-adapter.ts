import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { Database } from '@gatehouse/db/client';
import { listPauses } from '@gatehouse/db/queue-pauses';
import {
  type CarriedDispatch,
  cancelCarried,
  parseDispatchId,
  redriveCarried,
} from '@gatehouse/jobs/carried-jobs';
import { CATALOGUE } from '@gatehouse/jobs/catalogue';
import { obliterateQueue, pauseQueue, resumeQueue } from '@gatehouse/jobs/queue-pauses';
import type { JobQueue } from '@gatehouse/jobs/queues';
import type { Job } from 'bullmq';
import type { FastifyBaseLogger } from 'fastify';
import { Forbidden, JobNotCancelable } from '../../errors.ts';

export interface LedgerQueueParts {
  db: Database;
  queue: JobQueue;
  log: FastifyBaseLogger;
}

/**
 * A queue as the board shows it, whose buttons act on the ledger, since Redis only holds dispatches of what is owed:
 * docs/operating.md says what each of them does.
 */
export class LedgerQueueAdapter extends BullMQAdapter {
  readonly #db: Database;
  readonly #queue: JobQueue;
  readonly #log: FastifyBaseLogger;
  #turn: Promise<unknown> = Promise.resolve();
  /** A round of a schedule may come twice, a debt is paid once. */
  override readonly allowCompletedRetries: boolean;

  constructor({ db, queue, log }: LedgerQueueParts) {
    super(queue);
    this.#db = db;
    this.#queue = queue;
    this.#log = log;
    this.allowCompletedRetries = !CATALOGUE.some(
      (definition) => definition.kind === 'job' && definition.queue === queue.name,
    );
  }

  /** As it is meant to be: Redis may have lost it, and is told again within a second or two. */
  override async isPaused(): Promise<boolean> {
    const pauses = await listPauses(this.#db);
    return pauses.some(({ queue }) => queue === this.#queue.name);
  }

  override pause(): Promise<void> {
    return pauseQueue(this.#db, this.#queue);
  }

  override resume(): Promise<void> {
    return resumeQueue(this.#db, this.#queue);
  }

  override obliterate({ force = false }: { force?: boolean } = {}): Promise<void> {
    return obliterateQueue(this.#db, this.#queue, { force });
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const job = await super.getJob(id);
    return job && this.#onLedger(job);
  }

  override async getJobs(...range: Parameters<BullMQAdapter['getJobs']>): Promise<Job[]> {
    return (await super.getJobs(...range)).map((job) => this.#onLedger(job));
  }

  override async addJob(): Promise<Job> {
    throw new Forbidden('A job is made together with what it is about, by the API; never by hand');
  }

  /** The job, with methods that act on its row where it has one. */
  #onLedger(job: Job): Job {
    const dispatch = parseDispatchId(job.id ?? '');
    const updateData = async (): Promise<void> => {
      throw new Forbidden('What a job is about is never changed; cancel it, or redrive it');
    };
    if (dispatch === null) return Object.assign(job, { updateData });
    const carried: CarriedDispatch = {
      dispatch,
      state: () => job.getState(),
      remove: job.remove.bind(job),
    };
    return Object.assign(job, {
      updateData,
      retry: (state: string) => this.#inTurn(() => this.#redrive(carried, state)),
      remove: () => this.#cancel(carried),
    });
  }

  async #redrive(carried: CarriedDispatch, state: string): Promise<void> {
    if (state === 'completed') throw new Forbidden('The job is done, and nothing is done twice');
    const redrive = await redriveCarried(this.#db, carried);
    const { id: jobId } = carried.dispatch;
    this.#log.info({ jobId, name: redrive?.job.name, isRedriven: redrive?.isRedriven }, 'retried');
  }

  async #cancel(carried: CarriedDispatch): Promise<void> {
    const cancelation = await cancelCarried(this.#db, carried);
    if (cancelation === null) return;
    const { job, refusal } = cancelation;
    if (refusal !== null) throw new JobNotCancelable(refusal);
    const { id: jobId, name, subjectId } = job;
    // The one trace of the debt that outlives its row.
    this.#log.info({ jobId, name, subjectId }, 'canceling a job');
  }

  /** "Retry all" starts a hundred at once, and each takes a connection to the database. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
