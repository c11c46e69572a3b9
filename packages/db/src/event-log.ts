import type { Transaction } from './client.ts';

/**
 * Keeps anything from being published until the transaction ends, and tells how far the log goes: what is decided now
 * holds for every event after that. Taken before any other lock, of users and accounts as well.
 */
export async function lockEventLog(tx: Transaction): Promise<bigint> {
  const [log] = await tx.$queryRaw<{ lastSeq: bigint }[]>`
    SELECT last_seq AS "lastSeq" FROM event_log FOR UPDATE`;
  if (log === undefined) throw new Error('the event log has lost its end');
  return log.lastSeq;
}
