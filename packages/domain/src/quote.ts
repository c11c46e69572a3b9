import type { Decimal } from './decimal.ts';

/** The top of the book. Prices in dollars a share, sizes in shares. */
export interface Quote {
  readonly symbol: string;
  /** What a seller gets. */
  readonly bid: Decimal;
  /** What a buyer pays. */
  readonly ask: Decimal;
  /** The most recent trade. */
  readonly last: Decimal;
  readonly bidSize: Decimal;
  readonly askSize: Decimal;
  readonly asOf: Date;
  /** The name of the source, as the API shows it. */
  readonly source: string;
}

export interface QuoteSource {
  /**
   * The quote of a symbol at a moment. A live source answers with its latest; only a simulated one can look back.
   *
   * @throws {NoQuote} when a live source has none; other errors when it cannot be asked
   */
  quote(symbol: string, at: Date): Promise<Quote>;
}

/** Nobody quotes the symbol, on both sides, now: it is not known, or its market is closed. */
export class NoQuote extends Error {
  override readonly name = 'NoQuote';
}
