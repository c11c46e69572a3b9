import type { StoredPosition } from '@gatehouse/db/positions';
import { type Decimal, formatMoney, formatQuantity, roundHalfUp } from '@gatehouse/domain/decimal';
import type { LastPrice } from './plugins/quotes.ts';

/** What a position is worth at the last price, in dollars and whole cents; null when nobody says what that is. */
export async function marketValue(
  lastPrice: LastPrice,
  { symbol, quantity }: Pick<StoredPosition, 'symbol' | 'quantity'>,
  at: Date,
): Promise<{ price: Decimal; value: Decimal } | null> {
  const price = await lastPrice(symbol, at);
  return price && { price, value: roundHalfUp(price.times(quantity), 2) };
}

/** A position as the API shows it. It is not flat. */
export async function positionView(lastPrice: LastPrice, position: StoredPosition, at: Date) {
  const market = await marketValue(lastPrice, position, at);
  return {
    symbol: position.symbol,
    positionType: position.positionType,
    quantity: formatQuantity(position.quantity),
    averageEntryPrice: formatMoney(roundHalfUp(position.costBasis.dividedBy(position.quantity), 6)),
    marketPrice: market && formatMoney(market.price),
    marketValue: market && formatMoney(market.value),
    unrealizedPnl: market && formatMoney(market.value.minus(position.costBasis)),
    realizedPnl: formatMoney(position.realizedPnl),
  };
}
