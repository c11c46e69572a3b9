import Type from 'typebox';
import { defineJob } from '../definition.ts';

/** Schedules the events of a replay anew, a few at a time, as its endpoint takes them. */
export const replayWebhooks = defineJob({
  name: 'replay-webhooks',
  queue: 'webhooks',
  payload: Type.Object({ replayId: Type.String() }),
  subject: 'replayId',
  isSingle: true,
  retry: { attempts: 2_000, backoffMs: 500, maxBackoffMs: 60_000 },
});
