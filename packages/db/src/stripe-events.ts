import type { Database, Queryable, Transaction } from './client.ts';
import type {
  Prisma,
  StripeEvent,
  StripeEventSource,
  StripeEventStatus,
} from './generated/client.ts';
import { jobColumns, type NewJob } from './jobs.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { StripeEvent, StripeEventSource, StripeEventStatus } from './generated/client.ts';

/** An event that was found to be Stripe's. */
export interface NewStripeEvent {
  /** Of the row. */
  id: string;
  /** Stripe's: whoever has it already has the event. */
  eventId: string;
  type: string;
  livemode: boolean;
  source: StripeEventSource;
  /** What was verified, as text. */
  payload: string;
}

/** An event with the job that it is owed. */
export interface StripeEventAcceptance {
  event: NewStripeEvent;
  job: NewJob;
}

/**
 * Stores any number of events, each with its job, in one statement, which is one transaction and one commit.
 *
 * Returns the ids of the rows that are new. Of the others the event was stored before, or is earlier in the batch:
 * nothing of them is written, and what was stored is committed by the time that this returns.
 */
export async function acceptStripeEvents(
  db: Database,
  batch: readonly StripeEventAcceptance[],
): Promise<ReadonlySet<string>> {
  const events = batch.map(({ event }) => event);
  const j = jobColumns(batch.map(({ job }) => job));
  // In the order of the event ids: two batches with the same events would else wait for each other.
  const accepted = await db.$queryRaw<{ id: string }[]>`
    WITH input AS (
      SELECT * FROM unnest(
        ${events.map((e) => e.id)}::uuid[], ${events.map((e) => e.eventId)}::text[],
        ${events.map((e) => e.type)}::text[], ${events.map((e) => e.livemode)}::bool[],
        ${events.map((e) => e.source)}::stripe_event_source[], ${events.map((e) => e.payload)}::text[],
        ${j.ids}::uuid[], ${j.queues}::text[], ${j.names}::text[], ${j.payloads}::jsonb[],
        ${j.states}::job_state[], ${j.priorities}::int[], ${j.requestIds}::text[]
      ) WITH ORDINALITY AS input (
        id, event_id, type, livemode, source, event, job_id, queue, name, payload, state, priority, request_id, place
      )
    ), accepted AS (
      INSERT INTO stripe_event (id, event_id, type, livemode, source, payload)
      SELECT id, event_id, type, livemode, source, event FROM input ORDER BY event_id, place
      ON CONFLICT (event_id) DO NOTHING
      RETURNING id
    ), owed AS (
      INSERT INTO job (id, queue, name, subject_id, payload, state, run_at, priority, request_id)
      SELECT job_id, queue, name, id, payload, state, now(), priority, request_id FROM input JOIN accepted USING (id)
    )
    SELECT id FROM accepted`;
  return new Set(accepted.map(({ id }) => id));
}

/** What each of these events says, as it was stored; null where there is no event. */
export async function readStripePayloads(
  db: Queryable,
  ids: readonly string[],
): Promise<(string | null)[]> {
  const rows = await db.stripeEvent.findMany({
    where: { id: { in: [...ids] } },
    select: { id: true, payload: true },
  });
  const payloads = new Map(rows.map(({ id, payload }) => [id, payload]));
  return ids.map((id) => payloads.get(id) ?? null);
}

/** The event of an id that somebody gave; null when there is none. */
export async function findStripeEvent(db: Queryable, id: string): Promise<StripeEvent | null> {
  return db.stripeEvent.findUnique({ where: { id } });
}

/** An event in a list. */
export type ListedStripeEvent = Omit<StripeEvent, 'payload'>;

export interface StripeEventFilter {
  status?: StripeEventStatus | undefined;
  type?: string | undefined;
  source?: StripeEventSource | undefined;
  eventId?: string | undefined;
}

/** The events that came, newest first. */
export async function listStripeEvents(
  db: Queryable,
  { status, type, source, eventId }: StripeEventFilter,
  request: PageRequest,
): Promise<Page<ListedStripeEvent>> {
  const { where, ...page } = pageArguments(request);
  const filter: Prisma.StripeEventWhereInput = {
    ...where,
    ...(status && { status }),
    ...(type && { type }),
    ...(source && { source }),
    ...(eventId && { eventId }),
  };
  const rows = await db.stripeEvent.findMany({ ...page, where: filter, omit: { payload: true } });
  return toPage(rows, request);
}

/**
 * An event that may be processed again, by a job of this name that the caller inserts in the same transaction, and whether
 * one is owed for it already, be it dead. Null when there is no such event. Of several at once one finds none owed: the
 * others wait for it, and find its job.
 */
export async function lockStripeEvent(
  tx: Transaction,
  id: string,
  jobName: string,
): Promise<{ event: ListedStripeEvent; isOwed: boolean } | null> {
  await tx.$executeRaw`SELECT 1 FROM stripe_event WHERE id = ${id}::uuid FOR UPDATE`;
  const event = await tx.stripeEvent.findUnique({ where: { id }, omit: { payload: true } });
  if (event === null) return null;
  const owed = await tx.job.count({ where: { name: jobName, subjectId: id } });
  return { event, isOwed: owed > 0 };
}
