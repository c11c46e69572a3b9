import type { Queryable, Transaction } from './client.ts';
import type { WebhookReplay, WebhookReplayStatus } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { WebhookReplayStatus } from './generated/client.ts';

/** A replay, and what became of the deliveries that it has scheduled and no later one has. */
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
  until: Date;
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

/** Measures the window of a replay. That may take a second when it has a million events: call it before anything is locked. */
export async function measureWindow(db: Queryable, window: ReplayWindow): Promise<MeasuredWindow> {
  const { accountId, since } = window;
  const before = new Date(Math.max(0, since.getTime() - DISORDER_MS));
  const [{ position, upTo } = { position: 0n, upTo: 0n }] = await db.$queryRaw<
    { position: bigint; upTo: bigint }[]
  >`
    SELECT last_seq AS "upTo", COALESCE((
      SELECT seq FROM event
      WHERE account_id = ${accountId}::uuid AND seq IS NOT NULL AND created_at < ${before}::timestamptz
      ORDER BY seq DESC LIMIT 1
    ), 0) AS position
    FROM event_log`;
  return { position, upTo, total: await countEvents(db, window, position, upTo) };
}

/** Events of the window that come after one place in the log, and up to another. */
async function countEvents(
  db: Queryable,
  { accountId, since, until }: ReplayWindow,
  after: bigint,
  upTo: bigint,
): Promise<number> {
  return db.event.count({
    where: { accountId, seq: { gt: after, lte: upTo }, createdAt: { gte: since, lt: until } },
  });
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
  const { endpointId } = replay;
  if (await tx.webhookReplay.findFirst({ where: { endpointId, status: 'running' } })) return null;
  const { lastSeq: endSeq } = await tx.eventLog.findFirstOrThrow();
  const total = measured + (await countEvents(tx, replay, upTo, endSeq));
  const begun = await tx.webhookReplay.create({ data: { ...replay, position, endSeq, total } });
  return { ...begun, delivered: 0, failed: 0, pending: 0 };
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
export async function cancelReplay(tx: Transaction, id: string): Promise<boolean> {
  return endReplay(tx, id, 'canceled');
}

/** False when it had ended before. */
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
