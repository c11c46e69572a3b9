import type { Static, TObject, TString } from 'typebox';

/** The queues, each with its own workers, so that one that is slow never holds up another. */
export const QUEUES = ['trades', 'payments', 'webhooks', 'mail', 'tasks', 'schedules'] as const;
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

/** Milliseconds that a run may take, unless its definition says otherwise. */
export const DEFAULT_TIMEOUT_MS = 60_000;

/** A job that is owed: a row until it is done. */
export interface JobDefinition<P extends IdPayload = IdPayload, Name extends string = string> {
  kind: 'job';
  /** Permanent: rows outlive deployments. Who renames all the same keeps the old name in `formerNames`. */
  name: Name;
  /** Names under which rows of earlier versions may still be waiting. */
  formerNames?: readonly string[];
  queue: QueueName;
  /** New fields are optional: rows of the version before may still be waiting. */
  payload: P;
  /** Makes a payload of today from one that an earlier version wrote. Given one of today, it gives that back. */
  upgrade?: (payload: Readonly<Record<string, string>>) => Record<string, string>;
  /** The payload's id of what the job is about. */
  subject: keyof Static<P> & string;
  /**
   * The payload's id of what has its jobs of this queue run one at a time, in the order of their inserts. Whoever
   * inserts two for the same id takes turns by a lock, or there is no order between them. A job that is to be tried
   * again holds up those behind it; a dead one does not.
   */
  groupKey?: keyof Static<P> & string;
  /** At most one is owed for a subject: who wants another brings that one forward. */
  isSingle?: true;
  retry: RetryPolicy;
  /** Milliseconds that a run may take: then its signal fires, and the attempt has failed. 60,000 by default. */
  timeoutMs?: number;
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

/** All names that a row of the definition may have. */
export function namesOf(definition: Definition): string[] {
  const former = definition.kind === 'job' ? (definition.formerNames ?? []) : [];
  return [definition.name, ...former];
}
