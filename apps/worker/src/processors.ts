import type { Database } from '@gatehouse/db/client';
import type { Broker, BrokerName } from '@gatehouse/domain/broker';
import type { QuoteSource } from '@gatehouse/domain/quote';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import type { MailTransport } from './mail/transport.ts';
import type { Processor } from './processor.ts';
import { createAnnouncePasswordChange } from './processors/announce-password-change.ts';
import { createCancelTrade } from './processors/cancel-trade.ts';
import { createCleanCredentials } from './processors/clean-credentials.ts';
import { createCleanIdempotencyRecords } from './processors/clean-idempotency-records.ts';
import { createExecuteTrade } from './processors/execute-trade.ts';
import { createMatchRestingOrders } from './processors/match-resting-orders.ts';
import { createReconcileTrade } from './processors/reconcile-trade.ts';
import { createRemindTask } from './processors/remind-task.ts';
import { createRequestPasswordReset } from './processors/request-password-reset.ts';
import { createSendEmail } from './processors/send-email.ts';
import { createSettlementGroup } from './settlement.ts';
import { unlessAway } from './trading/ask-broker.ts';
import { createTradeSettlement } from './trading/settle-trades.ts';

export interface ProcessorParts {
  db: Database;
  ledger: JobLedger;
  quotes: QuoteSource;
  /** The one outside; null without access to one. */
  broker: Broker | null;
  /** Who is given orders that nobody has yet. */
  brokerOfNewOrders: BrokerName;
  transport: MailTransport;
  /** Of the page on which somebody chooses a new password, for links in mails. */
  passwordResetUrl: string;
}

/** What the worker can do: one processor for every definition of the catalogue. */
export function createProcessors(given: ProcessorParts): readonly Processor[] {
  const quotes: QuoteSource = {
    quote: (symbol, at) => unlessAway(() => given.quotes.quote(symbol, at)),
  };
  const parts = { ...given, quotes };
  const settleTrades = createTradeSettlement(parts.ledger);
  const trading = { ...parts, settleTrades, trades: createSettlementGroup(parts.db, settleTrades) };
  return [
    createExecuteTrade(trading),
    createCancelTrade(trading),
    createReconcileTrade(parts),
    createMatchRestingOrders(trading),
    createSendEmail(parts),
    createRemindTask(parts),
    createRequestPasswordReset(parts),
    createAnnouncePasswordChange(parts),
    createCleanIdempotencyRecords(parts),
    createCleanCredentials(parts),
  ];
}
