import type { Definition } from './definition.ts';
import { announcePasswordChange } from './definitions/announce-password-change.ts';
import { cancelTrade } from './definitions/cancel-trade.ts';
import { cleanCredentials } from './definitions/clean-credentials.ts';
import { cleanEvents } from './definitions/clean-events.ts';
import { cleanIdempotencyRecords } from './definitions/clean-idempotency-records.ts';
import { deliverWebhooks } from './definitions/deliver-webhooks.ts';
import { executeTrade } from './definitions/execute-trade.ts';
import { finishDeposit } from './definitions/finish-deposit.ts';
import { matchRestingOrders } from './definitions/match-resting-orders.ts';
import { processStripeEvent } from './definitions/process-stripe-event.ts';
import { reconcileStripe } from './definitions/reconcile-stripe.ts';
import { reconcileTrade } from './definitions/reconcile-trade.ts';
import { remindTask } from './definitions/remind-task.ts';
import { replayWebhooks } from './definitions/replay-webhooks.ts';
import { requestPasswordReset } from './definitions/request-password-reset.ts';
import { resealWebhookSecrets } from './definitions/reseal-webhook-secrets.ts';
import { sendEmail } from './definitions/send-email.ts';

/** Every definition there is. The worker refuses to start when one of them has no processor, or two. */
export const CATALOGUE = [
  executeTrade,
  cancelTrade,
  reconcileTrade,
  processStripeEvent,
  finishDeposit,
  deliverWebhooks,
  replayWebhooks,
  sendEmail,
  remindTask,
  requestPasswordReset,
  announcePasswordChange,
  matchRestingOrders,
  reconcileStripe,
  cleanIdempotencyRecords,
  cleanCredentials,
  cleanEvents,
  resealWebhookSecrets,
] as const satisfies readonly Definition[];

/** The names of all jobs that are owed to somebody. */
export type JobName = Extract<(typeof CATALOGUE)[number], { kind: 'job' }>['name'];
