import type { StoredPosition } from '@gatehouse/db/positions';
import { type Decimal, formatMoney, formatQuantity, roundHalfUp } from '@gatehouse/domain/decimal';
import type { QuoteSource } from '@gatehouse/domain/quote';

/** What a position is worth at the last price, in dollars and whole cents. */
export async function marketValue(
  quotes: QuoteSource,
  { symbol, quantity }: Pick<StoredPosition, 'symbol' | 'quantity'>,
  at: Date,
): Promise<{ price: Decimal; value: Decimal }> {
  const { last } = await quotes.quote(symbol, at);
  return { price: last, value: roundHalfUp(last.times(quantity), 2) };
}

/** A position as the API shows it. It is not flat. */
export async function positionView(quotes: QuoteSource, position: StoredPosition, at: Date) {
  const { price, value } = await marketValue(quotes, position, at);
  return {
    symbol: position.symbol,
    positionType: position.positionType,
    quantity: formatQuantity(position.quantity),
    averageEntryPrice: formatMoney(roundHalfUp(position.costBasis.dividedBy(position.quantity), 6)),
    marketPrice: formatMoney(price),
    marketValue: formatMoney(value),
    unrealizedPnl: formatMoney(value.minus(position.costBasis)),
    realizedPnl: formatMoney(position.realizedPnl),
  };
}
