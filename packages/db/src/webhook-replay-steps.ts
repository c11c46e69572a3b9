import { listensTo } from '@gatehouse/domain/event-filter';
import { newId } from '@gatehouse/domain/id';
import type { Transaction } from './client.ts';
import { nextDueInMs } from './due-deliveries.ts';
import { KEPT_SINCE } from './event-retention.ts';
import type { WebhookDeliveryStatus } from './generated/client.ts';
import { insertDeliveries, resumeDeliveries } from './webhook-deliveries.ts';
import { endReplay } from './webhook-replays.ts';

/** Deliveries of one replay that wait to be sent at a time: what happens meanwhile waits behind no more than these. */
const WINDOW = 500;

/** Events that one step looks at. */
const PAGE = 1_000;

/** What a step of a replay is about to do, in the transaction that holds its endpoint and itself. */
export interface ReplayStep {
  replayId: string;
  accountId: string;
  endpointId: string;
  /** Not before: the endpoint is paused until then. Null for at once. */
  runAt: Date | null;
  /** Deliveries that have ended, and are to be sent again. */
  again: string[];
  /** Events that the endpoint was never owed. */
  first: string[];
  lastSequence: bigint;
  examined: number;
  position: bigint;
  isLast: boolean;
}

/**
 * `over`: it has ended. `disabled`: its endpoint is. `full`: as many as may wait do so already, and none of them is sent for
 * `dueInMs` milliseconds, unless somebody resumes the endpoint.
 */
export type OpenedStep =
  | { step: ReplayStep }
  | { none: 'over' | 'disabled' }
  | { none: 'full'; dueInMs: number };

/**
 * Looks at the next events of a replay, and locks its endpoint and it: nobody else looks at the same meanwhile. A replay
 * whose endpoint was deleted is canceled.
 *
 * Whoever calls owes the endpoint `deliver-webhooks`, when there is something to be sent, and then takes the step with
 * `takeReplayStep`, all in one transaction.
 */
export async function openReplayStep(tx: Transaction, replayId: string): Promise<OpenedStep> {
  const known = await tx.webhookReplay.findUnique({ where: { id: replayId } });
  if (known === null) return { none: 'over' };
  const { accountId, endpointId, since, until, onlyFailed, endSeq } = known;
  const endpoint = await holdEndpoint(tx, endpointId);
  await tx.$executeRaw`SELECT 1 FROM webhook_replay WHERE id = ${replayId}::uuid FOR NO KEY UPDATE`;
  const { status, position } = await tx.webhookReplay.findUniqueOrThrow({
    where: { id: replayId },
  });
  if (status !== 'running') return { none: 'over' };
  if (endpoint.isDeleted) {
    await endReplay(tx, replayId, 'canceled');
    return { none: 'over' };
  }
  if (endpoint.isDisabled) return { none: 'disabled' };
  const room =
    WINDOW - (await tx.webhookDelivery.count({ where: { replayId, status: 'pending' } }));
  if (room <= 0) return { none: 'full', dueInMs: (await nextDueInMs(tx, endpointId)) ?? 0 };

  const events = await readEvents(tx, { accountId, endpointId }, position, endSeq);
  const step: ReplayStep = {
    ...{ replayId, accountId, endpointId, position },
    ...{ runAt: endpoint.runAt, lastSequence: endpoint.lastSequence },
    ...{ again: [], first: [], examined: 0, isLast: false },
  };
  for (const event of events) {
    if (step.again.length + step.first.length === room) return { step };
    step.position = event.seq;
    if (event.isOld || event.createdAt < since || event.createdAt >= until) continue;
    step.examined += 1;
    if (!listensTo(endpoint.eventTypes, event.type)) continue;
    if (event.onlyEndpointId !== null && event.onlyEndpointId !== endpointId) continue;
    if (event.deliveryId === null) {
      if (!onlyFailed) step.first.push(event.id);
    } else if (hasEnded(event.status, onlyFailed)) step.again.push(event.deliveryId);
  }
  step.isLast = events.length < PAGE;
  return { step };
}

/** Has sent what a step is about, and notes how far the replay has come; with the last step it has ended. */
export async function takeReplayStep(tx: Transaction, step: ReplayStep): Promise<void> {
  const { replayId, accountId, endpointId, lastSequence, first, again } = step;
  // Their events are locked before any delivery is: in that order old ones are deleted.
  const deliveries = first.map((eventId, index) => ({
    ...{ id: newId(), accountId, endpointId, eventId },
    sequence: lastSequence + BigInt(index) + 1n,
  }));
  await insertDeliveries(tx, deliveries, { replayId });
  if (first.length > 0) {
    await tx.$executeRaw`
      UPDATE webhook_endpoint SET last_sequence = last_sequence + ${first.length} WHERE id = ${endpointId}::uuid`;
  }
  const resumed =
    again.length === 0 ? 0 : await resumeDeliveries(tx, endpointId, again, { replayId });
  await tx.$executeRaw`
    UPDATE webhook_replay SET position = ${step.position}, examined = examined + ${step.examined},
      scheduled = scheduled + ${first.length + resumed}, updated_at = clock_timestamp()
    WHERE id = ${replayId}::uuid`;
  if (step.isLast) await endReplay(tx, replayId, 'succeeded');
}

interface HeldEndpoint {
  eventTypes: string[];
  lastSequence: bigint;
  runAt: Date | null;
  isDisabled: boolean;
  isDeleted: boolean;
}

async function holdEndpoint(tx: Transaction, id: string): Promise<HeldEndpoint> {
  const [endpoint] = await tx.$queryRaw<HeldEndpoint[]>`
    SELECT event_types AS "eventTypes", last_sequence AS "lastSequence",
      CASE WHEN paused_until > clock_timestamp() THEN paused_until END AS "runAt",
      disabled_reason IS NOT NULL AS "isDisabled", deleted_at IS NOT NULL AS "isDeleted"
    FROM webhook_endpoint WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
  if (endpoint === undefined) throw new Error(`there is no endpoint ${id}`);
  return endpoint;
}

interface ReplayedEvent {
  id: string;
  seq: bigint;
  type: string;
  createdAt: Date;
  /** It would be kept for as long again if it were owed anew. */
  isOld: boolean;
  onlyEndpointId: string | null;
  /** Its delivery to the endpoint; null when there is none. */
  deliveryId: string | null;
  status: WebhookDeliveryStatus | null;
}

/** The next events of an account, with what the endpoint was owed of them. */
async function readEvents(
  tx: Transaction,
  { accountId, endpointId }: { accountId: string; endpointId: string },
  position: bigint,
  endSeq: bigint,
): Promise<ReplayedEvent[]> {
  return tx.$queryRaw<ReplayedEvent[]>`
    SELECT e.id, e.seq, e.type, e.created_at AS "createdAt", e.created_at < ${KEPT_SINCE} AS "isOld",
      e.only_endpoint_id AS "onlyEndpointId", d.id AS "deliveryId", d.status
    FROM (
      SELECT * FROM event
      WHERE account_id = ${accountId}::uuid AND seq > ${position} AND seq <= ${endSeq}
      ORDER BY seq LIMIT ${PAGE}
    ) e LEFT JOIN webhook_delivery d ON d.event_id = e.id AND d.endpoint_id = ${endpointId}::uuid
    ORDER BY e.seq`;
}

function hasEnded(status: WebhookDeliveryStatus | null, onlyFailed: boolean): boolean {
  return status === 'failed' || status === 'canceled' || (status === 'succeeded' && !onlyFailed);
}
