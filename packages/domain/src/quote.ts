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
   * The quote of a symbol at a moment. A live source answers with its latest and may reject when it has none;
   * only a simulated one can look back.
   */
  quote(symbol: string, at: Date): Promise<Quote>;
}
