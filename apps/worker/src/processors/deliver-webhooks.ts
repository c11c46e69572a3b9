import type { Database } from '@gatehouse/db/client';
import type { SecretBox } from '@gatehouse/domain/secret-box';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { type JobProcessor, processJob } from '../processor.ts';
import { createDisable } from '../webhooks/disable.ts';
import { createRecorder, type Recorder } from '../webhooks/recorder.ts';
import { runLane } from '../webhooks/run-lane.ts';
import type { Sender } from '../webhooks/sender.ts';

export interface DeliverWebhooksParts {
  db: Database;
  ledger: JobLedger;
  sender: Sender;
  /** Opens the secrets of endpoints. */
  secretBox: SecretBox;
  /** Fires when the worker begins to shut down. */
  closing: AbortSignal;
  /** One of its own, unless given. */
  recorder?: Recorder;
}

/** Sends an endpoint what is due. */
export function createDeliverWebhooks(parts: DeliverWebhooksParts): JobProcessor {
  const { recorder = createRecorder(parts.db) } = parts;
  const lane = { ...parts, recorder, disable: createDisable(parts) };
  return processJob(deliverWebhooks, ({ endpointId }, context) =>
    runLane(lane, endpointId, context),
  );
}
