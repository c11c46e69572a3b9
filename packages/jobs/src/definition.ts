import type { Static, TObject, TString } from 'typebox';

/** The queues, each with its own workers, so that one that is slow never holds up another. */
export const QUEUES = ['trades', 'mail', 'tasks', 'schedules'] as const;
export type QueueName = (typeof QUEUES)[number];

/** Ids only: what the job is about is read when it runs, so a waiting job never acts on a stale copy. */
export type IdPayload = TObject<Record<string, TString>>;

export interface RetryPolicy {
  /** How often the job is tried in all, before it is dead. */
  attempts: number;
  /** Milliseconds before the second attempt; doubled for each further one. */
  backoffMs: number;
  /** Milliseconds that a backoff never exceeds. */
  maxBackoffMs: number;
}

/** For work in our own database: what fails there fails for moments, or for good. About ten minutes. */
export const DATABASE_RETRY: RetryPolicy = { attempts: 12, backoffMs: 500, maxBackoffMs: 60_000 };

/** A job that is owed: a row until it is done. */
export interface JobDefinition<P extends IdPayload = IdPayload, Name extends string = string> {
  kind: 'job';
  /** Permanent: rows outlive deployments. */
  name: Name;
  queue: QueueName;
  /** New fields are optional: rows of the version before may still be waiting. */
  payload: P;
  /** The payload's id of what the job is about. */
  subject: keyof Static<P> & string;
  retry: RetryPolicy;
}

/** Work that comes round by itself. It is owed to nobody: a round that is missed is made up by the next. */
export interface ScheduleDefinition {
  kind: 'schedule';
  name: string;
  queue: QueueName;
  /** Milliseconds from round to round. */
  everyMs: number;
}

export type Definition = JobDefinition | ScheduleDefinition;

/** Its name stays known to the types, so that a table over all jobs can be held against the catalogue. */
export function defineJob<P extends IdPayload, const Name extends string>(
  definition: Omit<JobDefinition<P, Name>, 'kind'>,
): JobDefinition<P, Name> {
  return { kind: 'job', ...definition };
}

export function defineSchedule(definition: Omit<ScheduleDefinition, 'kind'>): ScheduleDefinition {
  return { kind: 'schedule', ...definition };
}
