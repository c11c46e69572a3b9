import type { IdPayload, JobDefinition, ScheduleDefinition } from '@gatehouse/jobs/definition';
import type { Logger } from 'pino';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import { NotYet } from './not-yet.ts';
import type { Effect, SettlementGroup } from './settlement.ts';

export interface ScheduleContext {
  /** Fires when the worker can wait no longer for the work to end, or the time of the run is up. */
  signal: AbortSignal;
  log: Logger;
}

export interface JobContext extends ScheduleContext {
  jobId: string;
  /** The request that caused the job. */
  requestId: string | null;
  /**
   * Whether this run is still the one that the job is owed. A processor whose effect lies outside of the database
   * asks right before it acts, and returns when it is not: the job was settled, or dispatched anew.
   */
  isOwed(): Promise<boolean>;
  /**
   * Applies the effect and pays the debt, in one transaction. False when the job was settled before: then the
   * effect is not applied, and there is nothing left to do.
   *
   * Every processor settles once before it returns. The job may run more than once, at the same time even; of
   * all its runs the effect of exactly one is applied.
   */
  settle(effect: Effect): Promise<boolean>;
  /** The same, in one transaction with other jobs of the group. */
  settleTogether<Item>(group: SettlementGroup<Item>, item: Item): Promise<boolean>;
}

/** As it was written down, maybe by another version. */
export type JobPayload = Readonly<Record<string, string>>;

export interface JobProcessor {
  kind: 'job';
  definition: JobDefinition;
  run(payload: JobPayload, context: JobContext): Promise<void>;
}

export interface ScheduleProcessor {
  kind: 'schedule';
  definition: ScheduleDefinition;
  run(context: ScheduleContext): Promise<void>;
}

export type Processor = JobProcessor | ScheduleProcessor;

/** For a payload of a newer version: while a deployment goes on, it may meet a worker that cannot read it yet. */
const UNREADABLE_RETRY_MS = 5_000;

/**
 * What does a job. Its payload is parsed again: it may have been written by another version.
 *
 * One that does not fit is put off, not failed: while a deployment goes on, a worker that can read it will come.
 */
export function processJob<P extends IdPayload>(
  definition: JobDefinition<P>,
  handle: (payload: Static<P>, context: JobContext) => Promise<void>,
): JobProcessor {
  return {
    kind: 'job',
    definition,
    run: (payload, context) => handle(readPayload(definition, payload), context),
  };
}

function readPayload<P extends IdPayload>(
  definition: JobDefinition<P>,
  payload: JobPayload,
): Static<P> {
  try {
    return Value.Parse(definition.payload, definition.upgrade?.(payload) ?? payload);
  } catch (cause) {
    throw new NotYet(`this is no payload of ${definition.name}`, UNREADABLE_RETRY_MS, { cause });
  }
}

/** What does a round of a schedule. Rounds may overlap, in several workers. */
export function processSchedule(
  definition: ScheduleDefinition,
  handle: (context: ScheduleContext) => Promise<void>,
): ScheduleProcessor {
  return { kind: 'schedule', definition, run: handle };
}
