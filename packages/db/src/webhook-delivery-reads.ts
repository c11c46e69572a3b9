import type { Queryable } from './client.ts';
import { Prisma, type WebhookAttempt, type WebhookDeliveryStatus } from './generated/client.ts';
import { type Page, type PageRequest, toPage } from './page.ts';

export type { WebhookDeliveryStatus } from './generated/client.ts';

/** A delivery as far as it is listed. */
export interface ListedDelivery {
  id: string;
  eventId: string;
  eventType: string;
  endpointId: string;
  /** Counts the endpoint's deliveries. */
  sequence: number;
  status: WebhookDeliveryStatus;
  /** All that there were, of every round. */
  attemptCount: number;
  /**
   * The earliest that it may be sent, at an ordered endpoint behind the first that is pending; null when it has ended, and
   * while its endpoint is disabled.
   */
  nextAttemptAt: Date | null;
  createdAt: Date;
  endedAt: Date | null;
}

export type ListedAttempt = Omit<WebhookAttempt, 'id' | 'deliveryId'>;

export interface ReadDelivery extends ListedDelivery {
  /** The last hundred, oldest first. */
  attempts: ListedAttempt[];
}

/** `undelivered`: what has failed, for good or since it was last begun anew. */
export type DeliveryStatusFilter = WebhookDeliveryStatus | 'undelivered';

export interface DeliveryFilter {
  endpointId?: string | undefined;
  status?: DeliveryStatusFilter | undefined;
  eventType?: string | undefined;
}

/** Soon somebody writes that down. */
const IS_GIVEN_UP = Prisma.sql`d.status = 'pending' AND w.deleted_at IS NOT NULL`;

const LISTED = Prisma.sql`
  d.id, d.event_id AS "eventId", e.type AS "eventType", d.endpoint_id AS "endpointId", d.sequence::float8 AS sequence,
  CASE WHEN ${IS_GIVEN_UP} THEN 'canceled' ELSE d.status END AS status, attempts.count AS "attemptCount",
  d.created_at AS "createdAt", CASE WHEN ${IS_GIVEN_UP} THEN w.deleted_at ELSE d.ended_at END AS "endedAt",
  CASE WHEN d.status = 'pending' AND w.disabled_reason IS NULL AND w.deleted_at IS NULL
    THEN GREATEST(d.next_attempt_at, w.paused_until, CASE WHEN w.ordered THEN (
      SELECT next_attempt_at FROM webhook_delivery
      WHERE endpoint_id = w.id AND status = 'pending' ORDER BY sequence LIMIT 1) END) END AS "nextAttemptAt"`;

const ATTEMPTS = Prisma.sql`
  CROSS JOIN LATERAL (SELECT count(*)::int AS count FROM webhook_attempt WHERE delivery_id = d.id) attempts`;

/** An account's deliveries, newest first: those of deleted endpoints as well. */
export async function listDeliveries(
  db: Queryable,
  accountId: string,
  { endpointId, status, eventType }: DeliveryFilter,
  request: PageRequest,
): Promise<Page<ListedDelivery>> {
  const { limit, cursor } = request;
  const conditions = [
    Prisma.sql`d.endpoint_id = w.id`,
    ...(cursor === undefined ? [] : [Prisma.sql`d.id < ${cursor}::uuid`]),
    ...(eventType === undefined ? [] : [await ofType(db, accountId, eventType)]),
  ];
  const newest = Prisma.sql`ORDER BY id DESC LIMIT ${limit + 1}`;
  const branches = branchesOf(status).map(
    (branch) => Prisma.sql`(
      SELECT ${LISTED}
      FROM webhook_delivery d JOIN event e ON e.id = d.event_id ${ATTEMPTS}
      WHERE ${Prisma.join([...conditions, branch], ' AND ')} ${newest}
    )`,
  );
  const ofOne =
    endpointId === undefined ? Prisma.empty : Prisma.sql`AND w.id = ${endpointId}::uuid`;
  // The newest of each endpoint, then of all: there is an index by endpoint.
  const rows = await db.$queryRaw<ListedDelivery[]>`
    SELECT listed.* FROM webhook_endpoint w
    CROSS JOIN LATERAL (${Prisma.join(branches, ' UNION ALL ')}) listed
    WHERE w.account_id = ${accountId}::uuid ${ofOne} ${newest}`;
  return toPage(rows, request);
}

/** A delivery as it is listed. Null when the account has no such delivery. */
export async function findListedDelivery(
  db: Queryable,
  accountId: string,
  id: string,
): Promise<ListedDelivery | null> {
  const [delivery] = await db.$queryRaw<ListedDelivery[]>`
    SELECT ${LISTED}
    FROM webhook_delivery d JOIN event e ON e.id = d.event_id JOIN webhook_endpoint w ON w.id = d.endpoint_id ${ATTEMPTS}
    WHERE d.id = ${id}::uuid AND d.account_id = ${accountId}::uuid`;
  return delivery ?? null;
}

/** `findListedDelivery` with its attempts: with the last of them, as retries by hand may make any number. */
export async function findDelivery(
  db: Queryable,
  accountId: string,
  id: string,
): Promise<ReadDelivery | null> {
  const delivery = await findListedDelivery(db, accountId, id);
  if (delivery === null) return null;
  const attempts = await db.webhookAttempt.findMany({
    where: { deliveryId: id },
    orderBy: { id: 'desc' },
    take: 100,
    omit: { id: true, deliveryId: true },
  });
  // Their ids are of the clocks of several workers, their times of one.
  return { ...delivery, attempts: attempts.reverse().sort((a, b) => Number(a.at) - Number(b.at)) };
}

/** The endpoint that a delivery goes to. Null when the account has no such delivery. */
export async function findTarget(
  db: Queryable,
  accountId: string,
  deliveryId: string,
): Promise<string | null> {
  const delivery = await db.webhookDelivery.findFirst({
    where: { id: deliveryId, accountId },
    select: { endpointId: true },
  });
  return delivery?.endpointId ?? null;
}

/** So many events of a type are few enough to look for the deliveries of each. */
const FEW = 1_000;

/**
 * What is of a type: chosen by its events where the account has few of them, and else from the newest delivery on, which
 * soon fills a page. It does not at an endpoint that has been sent hardly any of a type of which its account has many:
 * there all its deliveries are looked at.
 */
async function ofType(db: Queryable, accountId: string, type: string): Promise<Prisma.Sql> {
  const events = await db.event.findMany({
    where: { accountId, type, seq: { not: null } },
    orderBy: { seq: 'desc' },
    take: FEW + 1,
    select: { id: true },
  });
  if (events.length > FEW) return Prisma.sql`e.type = ${type}`;
  return Prisma.sql`d.event_id = ANY(${events.map(({ id }) => id)}::uuid[])`;
}

/**
 * What a filter is the union of. Each has an index, save `succeeded`, which is the rule: it looks at all deliveries of an
 * endpoint where hardly any succeeded.
 */
function branchesOf(status: DeliveryStatusFilter | undefined): Prisma.Sql[] {
  if (status === undefined) return [Prisma.sql`true`];
  switch (status) {
    case 'pending':
      return [Prisma.sql`d.status = 'pending' AND w.deleted_at IS NULL`];
    case 'canceled':
      return [Prisma.sql`d.status = 'canceled'`, IS_GIVEN_UP];
    case 'undelivered':
      return [
        Prisma.sql`d.status = 'failed'`,
        Prisma.sql`d.status = 'pending' AND d.attempts > 0 AND w.deleted_at IS NULL`,
      ];
    default:
      return [Prisma.sql`d.status = ${status}::webhook_delivery_status`];
  }
}
