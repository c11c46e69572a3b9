import { BrokerUnavailable } from '@gatehouse/domain/broker';
import { type Decimal, decimal } from '@gatehouse/domain/decimal';
import { NoQuote, type Quote, type QuoteSource } from '@gatehouse/domain/quote';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { AlpacaClient } from './client.ts';
import { unexpected } from './refusal.ts';
import { shared } from './shared.ts';

/** As much of a snapshot as is used. What a symbol has never had is missing. */
const Snapshot = Type.Object({
  latestTrade: Type.Object({ p: Type.Number() }),
  latestQuote: Type.Object({
    bp: Type.Number(),
    ap: Type.Number(),
    bs: Type.Number(),
    as: Type.Number(),
    t: Type.String(),
  }),
});

export interface AlpacaQuotesOptions {
  /** How long a quote is given to others who ask. */
  readonly keepMs?: number;
  /** How many symbols are kept. */
  readonly symbols?: number;
}

/** A quote is asked for by many; none of them may end it for the others. The client has its own time-outs. */
const NEVER = new AbortController().signal;

/**
 * Quotes from Alpaca's market data: the latest, whatever moment is asked for, up to a second old. Those who ask for a
 * symbol at once share one request.
 *
 * `quote` rejects with `NoQuote` when Alpaca knows no symbol or has no quote with both sides, with `BrokerUnavailable` when
 * it cannot be asked, and with a plain error for a wrong setting.
 */
export function createAlpacaQuotes(
  client: AlpacaClient,
  { keepMs = 1_000, symbols = 1_000 }: AlpacaQuotesOptions = {},
): QuoteSource {
  const ask = async (symbol: string): Promise<Quote> => {
    const path = `/v2/stocks/${encodeURIComponent(symbol)}/snapshot`;
    const answer = await client.call({ method: 'GET', path }, NEVER);
    const isUnknown = [400, 404, 422].includes(answer.status);
    if (isUnknown) throw new NoQuote(`Alpaca has no quote of ${symbol}`);
    if (answer.status !== 200) throw unexpected(answer, `the question for the quote of ${symbol}`);
    return readQuote(symbol, answer.body);
  };
  const quote = shared(ask, { keepMs, most: symbols });
  return { quote: (symbol) => quote(symbol) };
}

function readQuote(symbol: string, body: unknown): Quote {
  if (body === undefined) {
    throw new BrokerUnavailable(`Alpaca's quote of ${symbol} cannot be read`, 1_000);
  }
  if (!Value.Check(Snapshot, body)) throw new NoQuote(`Alpaca has no quote of ${symbol}`);
  const { latestTrade, latestQuote } = body;
  const asOf = new Date(latestQuote.t);
  const quote: Quote = {
    symbol,
    bid: exact(latestQuote.bp),
    ask: exact(latestQuote.ap),
    last: exact(latestTrade.p),
    bidSize: exact(latestQuote.bs),
    askSize: exact(latestQuote.as),
    asOf,
    source: 'alpaca',
  };
  const isTwoSided = quote.bid.gt(0) && quote.ask.gt(0) && quote.last.gt(0);
  if (!isTwoSided || Number.isNaN(asOf.getTime())) {
    throw new NoQuote(`Alpaca has no quote of ${symbol} with a bid and an ask`);
  }
  return quote;
}

/** A price of a few digits, as all are, prints as it was written: no digit is lost on the way through a double. */
function exact(value: number): Decimal {
  return decimal(String(value));
}
