import type { Database } from '@gatehouse/db/client';
import {
  deleteExpiredSecrets,
  listSecretsWithout,
  replaceSecrets,
  type StoredSecrets,
} from '@gatehouse/db/webhook-secrets';
import type { SecretBox } from '@gatehouse/domain/secret-box';
import { resealWebhookSecrets } from '@gatehouse/jobs/definitions/reseal-webhook-secrets';
import { processSchedule, type ScheduleProcessor } from '../processor.ts';

const BATCH = 200;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/**
 * Encrypts secrets of endpoints anew that are not under the first key, and says when all are: in the round that did it,
 * and once otherwise. One that is rotated meanwhile is left to the next round; one that opens with no key is told of, and
 * stays as it is. Previous secrets that have expired are deleted before.
 */
export function createResealWebhookSecrets({
  db,
  secretBox,
}: {
  db: Database;
  secretBox: SecretBox;
}): ScheduleProcessor {
  const key = Buffer.from(secretBox.prefix).toString('hex');
  let hasSaidSo = false;
  return processSchedule(resealWebhookSecrets, async ({ signal, log }) => {
    await deleteExpiredSecrets(db);
    const counts = { resealed: 0, changedMeanwhile: 0, unreadable: 0 };
    let after = BEFORE_ALL;
    let isOver = false;
    while (!isOver && !signal.aborted) {
      const batch = await listSecretsWithout(db, secretBox.prefix, { after, limit: BATCH });
      for (const stored of batch) {
        after = stored.id;
        const resealed = tryReseal(stored);
        if (resealed instanceof Error) {
          counts.unreadable += 1;
          log.error(
            { endpointId: stored.id, err: resealed },
            'the secret of a webhook endpoint opens with none of WEBHOOK_SECRET_KEYS',
          );
        } else if (await replaceSecrets(db, stored, resealed)) counts.resealed += 1;
        else counts.changedMeanwhile += 1;
      }
      isOver = batch.length < BATCH;
    }
    const isComplete = isOver && counts.changedMeanwhile + counts.unreadable === 0;
    if (counts.resealed === 0 && (hasSaidSo || !isComplete)) return;
    hasSaidSo ||= isComplete;
    log.info(
      { ...counts, key },
      isComplete
        ? 'all secrets of webhook endpoints are under the first of WEBHOOK_SECRET_KEYS'
        : 'secrets of webhook endpoints were encrypted anew, and some are left',
    );
  });

  function tryReseal(stored: StoredSecrets): Omit<StoredSecrets, 'id'> | Error {
    const reseal = (sealed: Uint8Array) =>
      secretBox.seal(secretBox.open(sealed, stored.id), stored.id);
    try {
      return {
        sealedSecret: reseal(stored.sealedSecret),
        previousSealedSecret: stored.previousSealedSecret && reseal(stored.previousSealedSecret),
      };
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
