import { defineSchedule } from '../definition.ts';

/** Encrypts secrets of endpoints anew that are under an old key, and deletes expired ones, so that the old key can go. */
export const resealWebhookSecrets = defineSchedule({
  name: 'reseal-webhook-secrets',
  queue: 'schedules',
  everyMs: 60_000,
});
