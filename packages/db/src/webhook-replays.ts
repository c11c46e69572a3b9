import type { Queryable, Transaction } from './client.ts';
import { findPlaceBefore, readLogRange } from './event-places.ts';
import type { WebhookReplay, WebhookReplayStatus } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { WebhookReplayStatus } from './generated/client.ts';

/**
 * A replay, and what became of the deliveries that it has scheduled and no later one has. They are counted in an index
 * when it is read: some 0.1 seconds for a million. What `scheduled` leaves of those that failed says nothing of the others,
 * which another replay or a retry may have taken over.
 */
export interface StoredReplay extends WebhookReplay {
  delivered: number;
  failed: number;
  pending: number;
}

export interface NewReplay {
  id: string;
  accountId: string;
  endpointId: string;
  since: Date;
  /** Null for when it begins. */
  until: Date | null;
  onlyFailed: boolean;
  requestId: string | null;
}

/** Events are written down in about the order of their times: none is further from its place than that. */
const DISORDER_MS = 3_600_000;

type ReplayWindow = Pick<NewReplay, 'accountId' | 'since' | 'until'>;

/** Where a replay is to begin, and how many events of its window there are up to a place in the log. */
export interface MeasuredWindow {
  position: bigint;
  upTo: bigint;
  total: number;
}

/**
 * Measures the window of a replay, by places in the log, not by times: a few events near its ends may be counted that are
 * not of it, or not be counted. It goes no further back than events are kept. That may take a second when it has millions
 * of events: call it before anything is locked.
 */
export async function measureWindow(
  db: Queryable,
  { accountId, since, until }: ReplayWindow,
): Promise<MeasuredWindow> {
  const range = await readLogRange(db);
  const from = Math.max(since.getTime(), range.keptSince.getTime());
  const position = await findPlaceBefore(db, range, new Date(from - DISORDER_MS));
  const gt = await findPlaceBefore(db, range, new Date(from));
  const lte = until === null ? range.last : await findPlaceBefore(db, range, until);
  // Of the index alone: `count` of Prisma would read the ids.
  const [counted] = await db.$queryRaw<{ total: number }[]>`
    SELECT count(*)::int AS total FROM event WHERE account_id = ${accountId}::uuid AND seq > ${gt} AND seq <= ${lte}`;
  return { position, upTo: range.last, total: counted?.total ?? 0 };
}

/**
 * Begins a replay of what is in the log by now, for a transaction that holds its endpoint and owes its job: what comes
 * after that the endpoint is owed anyway. Null when another one to the endpoint is running: they would come out of order.
 */
export async function beginReplay(
  tx: Transaction,
  replay: NewReplay,
  { position, upTo, total: measured }: MeasuredWindow,
): Promise<StoredReplay | null> {
  const { accountId, endpointId, since } = replay;
  if (await hasRunningReplay(tx, endpointId)) return null;
  const { last: endSeq, at } = await readEnd(tx);
  // Its end is a place in the log. Events of just now may be later than that by the clocks of those who made them.
  const until = replay.until ?? new Date(at.getTime() + DISORDER_MS);
  const added = await tx.event.count({
    where: { accountId, seq: { gt: upTo, lte: endSeq }, createdAt: { gte: since, lt: until } },
  });
  const progress = { position, endSeq, total: measured + added };
  const times = { createdAt: at, updatedAt: at };
  const begun = await tx.webhookReplay.create({
    data: { ...replay, until, ...progress, ...times },
  });
  return { ...begun, delivered: 0, failed: 0, pending: 0 };
}

async function readEnd(tx: Transaction): Promise<{ last: bigint; at: Date }> {
  const [end] = await tx.$queryRaw<{ last: bigint; at: Date }[]>`
    SELECT last_seq AS last, clock_timestamp() AS at FROM event_log`;
  if (end === undefined) throw new Error('the event log has lost its end');
  return end;
}

/** While one is, no other is begun: they would come out of order. */
export async function hasRunningReplay(db: Queryable, endpointId: string): Promise<boolean> {
  return (await db.webhookReplay.count({ where: { endpointId, status: 'running' } })) > 0;
}

/** The endpoint of a replay; null when the account has no such replay. */
export async function findEndpointOfReplay(
  db: Queryable,
  accountId: string,
  id: string,
): Promise<string | null> {
  const replay = await db.webhookReplay.findFirst({
    where: { id, accountId },
    select: { endpointId: true },
  });
  return replay?.endpointId ?? null;
}

/** Null when the account has no such replay. */
export async function findReplay(
  db: Queryable,
  accountId: string,
  id: string,
): Promise<StoredReplay | null> {
  const replay = await db.webhookReplay.findFirst({ where: { id, accountId } });
  return replay && ((await withCounts(db, [replay]))[0] ?? null);
}

/** The replays of an endpoint, newest first. */
export async function listReplays(
  db: Queryable,
  accountId: string,
  endpointId: string,
  request: PageRequest,
): Promise<Page<StoredReplay>> {
  const { where, ...page } = pageArguments(request);
  const rows = await db.webhookReplay.findMany({
    ...page,
    where: { ...where, accountId, endpointId },
  });
  return toPage(await withCounts(db, rows), request);
}

/**
 * Has a replay schedule nothing more; what it has scheduled stays. False when it had ended before. A caller that does
 * not hold its job withdraws it first: the job is locked before the replay.
 */
export async function endReplay(
  tx: Transaction,
  id: string,
  status: Exclude<WebhookReplayStatus, 'running'>,
): Promise<boolean> {
  const ended = await tx.$executeRaw`
    UPDATE webhook_replay SET status = ${status}::webhook_replay_status, ended_at = clock_timestamp(),
      updated_at = clock_timestamp()
    WHERE id = ${id}::uuid AND status = 'running'`;
  return ended === 1;
}

async function withCounts(
  db: Queryable,
  replays: readonly WebhookReplay[],
): Promise<StoredReplay[]> {
  const deleted = new Set(await deletedOf(db, replays));
  const groups = await db.webhookDelivery.groupBy({
    by: ['replayId', 'status'],
    where: { replayId: { in: replays.map(({ id }) => id) } },
    _count: true,
  });
  const counts = new Map(
    groups.map((group) => [`${group.replayId} ${group.status}`, group._count]),
  );
  const of = (id: string, status: string): number => counts.get(`${id} ${status}`) ?? 0;
  return replays.map((replay) => ({
    ...replay,
    delivered: of(replay.id, 'succeeded'),
    failed:
      of(replay.id, 'failed') +
      of(replay.id, 'canceled') +
      (deleted.has(replay.endpointId) ? of(replay.id, 'pending') : 0),
    pending: deleted.has(replay.endpointId) ? 0 : of(replay.id, 'pending'),
  }));
}

/** Those of their endpoints that are deleted: what is pending there is canceled. */
async function deletedOf(db: Queryable, replays: readonly WebhookReplay[]): Promise<string[]> {
  const ids = [...new Set(replays.map(({ endpointId }) => endpointId))];
  const endpoints = await db.webhookEndpoint.findMany({
    where: { id: { in: ids }, deletedAt: { not: null } },
    select: { id: true },
  });
  return endpoints.map(({ id }) => id);
}
