import type { Transaction } from './client.ts';
import { lockEventLog } from './event-log.ts';
import type { Occasion } from './webhook-endpoint-events.ts';
import { disableLocked } from './webhook-endpoint-states.ts';
import type { StoredEndpoint } from './webhook-endpoints.ts';

/** An endpoint that has only failed for so long is disabled. */
export const HOPELESS_AFTER_MS = 5 * 24 * 3_600_000;

/** What requests have shown of an endpoint. */
export interface WebhookVerdict {
  endpointId: string;
  /** That was called. */
  url: string;
  /** `gone`: it answered 410. `failing`: it has only failed for days. */
  because: 'gone' | 'failing';
}

/**
 * `disableEndpoint` for what requests have shown. Null as well when that is of another time: it has another URL since, or
 * a clean slate.
 */
export async function disableJudged(
  tx: Transaction,
  { endpointId, url, because }: WebhookVerdict,
  occasion: Occasion,
): Promise<StoredEndpoint | null> {
  const lastSeq = await lockEventLog(tx);
  const held = await tx.$executeRaw`
    SELECT 1 FROM webhook_endpoint
    WHERE id = ${endpointId}::uuid AND url = ${url} AND disabled_reason IS NULL AND deleted_at IS NULL AND (
      ${because}::text = 'gone' OR failing_since < now() - ${HOPELESS_AFTER_MS}::float8 * interval '1 millisecond')
    FOR NO KEY UPDATE`;
  return held === 0 ? null : disableLocked(tx, endpointId, because, lastSeq, occasion);
}
