import type { Database } from '@gatehouse/db/client';
import type { Broker, BrokerName } from '@gatehouse/domain/broker';
import type { QuoteSource } from '@gatehouse/domain/quote';
import type { SecretBox } from '@gatehouse/domain/secret-box';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import type { Payments } from '@gatehouse/payments/payments';
import type { PaymentMode } from '@gatehouse/payments/settings';
import type { MailTransport } from './mail/transport.ts';
import { createStoredReader } from './payments/read-stored.ts';
import { createEventSettlement } from './payments/settle-events.ts';
import type { Processor } from './processor.ts';
import { createAnnouncePasswordChange } from './processors/announce-password-change.ts';
import { createCancelTrade } from './processors/cancel-trade.ts';
import { createCleanCredentials } from './processors/clean-credentials.ts';
import { createCleanEvents } from './processors/clean-events.ts';
import { createCleanIdempotencyRecords } from './processors/clean-idempotency-records.ts';
import { createDeliverWebhooks } from './processors/deliver-webhooks.ts';
import { createExecuteTrade } from './processors/execute-trade.ts';
import { createFinishDeposit } from './processors/finish-deposit.ts';
import { createMatchRestingOrders } from './processors/match-resting-orders.ts';
import { createProcessStripeEvent } from './processors/process-stripe-event.ts';
import { createReconcileStripe } from './processors/reconcile-stripe.ts';
import { createReconcileTrade } from './processors/reconcile-trade.ts';
import { createRemindTask } from './processors/remind-task.ts';
import { createReplayWebhooks } from './processors/replay-webhooks.ts';
import { createRequestPasswordReset } from './processors/request-password-reset.ts';
import { createResealWebhookSecrets } from './processors/reseal-webhook-secrets.ts';
import { createSendEmail } from './processors/send-email.ts';
import { createSettlementGroup } from './settlement.ts';
import { unlessBrokerIsAway } from './trading/ask-broker.ts';
import { createTradeSettlement } from './trading/settle-trades.ts';
import type { Sender } from './webhooks/sender.ts';

export interface ProcessorParts {
  db: Database;
  ledger: JobLedger;
  quotes: QuoteSource;
  /** The one outside; null without access to one. */
  broker: Broker | null;
  /** Who is given orders that nobody has yet. */
  brokerOfNewOrders: BrokerName;
  /** Null without a key for the payment provider. */
  payments: Payments | null;
  /** Of that key; null without one. */
  mode: PaymentMode | null;
  transport: MailTransport;
  /** To webhook endpoints. */
  sender: Sender;
  /** Fires when the worker begins to shut down: what runs goes on, long runs come to an end. */
  closing: AbortSignal;
  /** Of the page on which somebody chooses a new password, for links in mails. */
  passwordResetUrl: string;
  /** Of the gateway, for links in mails. */
  publicUrl: string;
  /** Opens the secrets of webhook endpoints. */
  secretBox: SecretBox;
}

/** What the worker can do: one processor for every definition of the catalogue. */
export function createProcessors(given: ProcessorParts): readonly Processor[] {
  const quotes: QuoteSource = {
    quote: (symbol, at) => unlessBrokerIsAway(() => given.quotes.quote(symbol, at)),
  };
  const parts = { ...given, quotes };
  const settleTrades = createTradeSettlement(parts.ledger);
  const trading = { ...parts, settleTrades, trades: createSettlementGroup(parts.db, settleTrades) };
  const events = createSettlementGroup(parts.db, createEventSettlement(parts.ledger));
  return [
    createExecuteTrade(trading),
    createCancelTrade(trading),
    createReconcileTrade(parts),
    createMatchRestingOrders(trading),
    createFinishDeposit(parts),
    createProcessStripeEvent({ ...parts, events, stored: createStoredReader(parts.db) }),
    createReconcileStripe(parts),
    createDeliverWebhooks(parts),
    createSendEmail(parts),
    createRemindTask(parts),
    createRequestPasswordReset(parts),
    createAnnouncePasswordChange(parts),
    createCleanIdempotencyRecords(parts),
    createCleanCredentials(parts),
    createResealWebhookSecrets(parts),
    createCleanEvents(parts),
    createReplayWebhooks(parts),
  ];
}
