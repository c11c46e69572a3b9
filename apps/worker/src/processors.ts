import type { Database } from '@gatehouse/db/client';
import type { QuoteSource } from '@gatehouse/domain/quote';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import type { MailTransport } from './mail/transport.ts';
import type { Processor } from './processor.ts';
import { createCancelTrade } from './processors/cancel-trade.ts';
import { createCleanIdempotencyRecords } from './processors/clean-idempotency-records.ts';
import { createExecuteTrade } from './processors/execute-trade.ts';
import { createMatchRestingOrders } from './processors/match-resting-orders.ts';
import { createRemindTask } from './processors/remind-task.ts';
import { createSendEmail } from './processors/send-email.ts';
import { createSettlementGroup } from './settlement.ts';
import { createTradeSettlement } from './trading/settle-trades.ts';

export interface ProcessorParts {
  db: Database;
  ledger: JobLedger;
  quotes: QuoteSource;
  transport: MailTransport;
}

/** What the worker can do: one processor for every definition of the catalogue. */
export function createProcessors(parts: ProcessorParts): readonly Processor[] {
  const settleTrades = createTradeSettlement(parts.ledger);
  const trading = { ...parts, settleTrades, trades: createSettlementGroup(parts.db, settleTrades) };
  return [
    createExecuteTrade(trading),
    createCancelTrade(trading),
    createMatchRestingOrders(trading),
    createSendEmail(parts),
    createRemindTask(parts),
    createCleanIdempotencyRecords(parts),
  ];
}
