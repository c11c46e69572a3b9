import type { IdPayload, JobDefinition, ScheduleDefinition } from '@gatehouse/jobs/definition';
import type { Logger } from 'pino';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Effect, SettlementGroup } from './settlement.ts';

export interface ScheduleContext {
  /** Fires when the worker can wait no longer for the work to end. */
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

export interface JobProcessor {
  kind: 'job';
  definition: JobDefinition;
  run(payload: unknown, context: JobContext): Promise<void>;
}

export interface ScheduleProcessor {
  kind: 'schedule';
  definition: ScheduleDefinition;
  run(context: ScheduleContext): Promise<void>;
}

export type Processor = JobProcessor | ScheduleProcessor;

/** What does a job. Its payload is parsed again: it may have been written by another version. */
export function processJob<P extends IdPayload>(
  definition: JobDefinition<P>,
  handle: (payload: Static<P>, context: JobContext) => Promise<void>,
): JobProcessor {
  return {
    kind: 'job',
    definition,
    run: (payload, context) => handle(Value.Parse(definition.payload, payload), context),
  };
}

/** What does a round of a schedule. Rounds may overlap, in several workers. */
export function processSchedule(
  definition: ScheduleDefinition,
  handle: (context: ScheduleContext) => Promise<void>,
): ScheduleProcessor {
  return { kind: 'schedule', definition, run: handle };
}
