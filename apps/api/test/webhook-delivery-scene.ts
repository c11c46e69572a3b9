import type { Database } from '@gatehouse/db/client';
import { newId } from '@gatehouse/domain/id';
import type { Gateway } from './harness.ts';

type Caller = Pick<Gateway, 'call'>;

export const HOUR_MS = 3_600_000;

export const hence = (ms: number) => new Date(Date.now() + ms);

export const stored = (db: Database, id: string) =>
  db.webhookDelivery.findUniqueOrThrow({ where: { id } });

export const retry = ({ call }: Caller, id: string, headers = {}) =>
  call('POST', `/v1/webhook-deliveries/${id}/retry`, { headers });

export const read = ({ call }: Caller, id: string) => call('GET', `/v1/webhook-deliveries/${id}`);

/** One attempt for each of these answers, an hour apart; `null` is no answer. */
export async function addAttempts(
  db: Database,
  deliveryId: string,
  statusCodes: (number | null)[],
): Promise<void> {
  await db.webhookAttempt.createMany({
    data: statusCodes.map((statusCode, index) => ({
      id: newId(),
      deliveryId,
      at: new Date(Date.UTC(2026, 0, 1, index)),
      statusCode,
      durationMs: 12 + index,
      error: statusCode === 200 ? null : 'it said no',
      responseBody: statusCode === null ? null : 'a body',
    })),
  });
}
