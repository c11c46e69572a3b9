import Type from 'typebox';
import { defineJob } from '../definition.ts';

/**
 * Sends an endpoint what is due. One job for each endpoint that has deliveries waiting, however many: so endpoints take
 * turns, none waits behind another's backlog, and each is sent to by one worker at a time. What fails at the other side is
 * no failure of the job.
 */
export const deliverWebhooks = defineJob({
  name: 'deliver-webhooks',
  queue: 'webhooks',
  payload: Type.Object({ endpointId: Type.String() }),
  subject: 'endpointId',
  isSingle: true,
  retry: { attempts: 2_000, backoffMs: 500, maxBackoffMs: 60_000 },
  timeoutMs: 90_000,
});
