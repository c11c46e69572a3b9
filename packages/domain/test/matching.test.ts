import { describe, expect, it } from 'vitest';
import { type Decimal, decimal } from '../src/decimal.ts';
import { type Decision, type MatchableOrder, match } from '../src/matching.ts';
import {
  ORDER_SIDES,
  type OrderSide,
  orderTerms,
  TIMES_IN_FORCE,
  type TimeInForce,
} from '../src/order.ts';
import type { Quote } from '../src/quote.ts';
import { generator } from './generator.ts';

const NOW = new Date('2026-11-20T15:00:00.000Z');

interface Terms {
  side?: OrderSide;
  limit?: string;
  quantity?: string;
  filled?: string;
  timeInForce?: TimeInForce;
  createdAt?: string;
}

function order(terms: Terms): MatchableOrder {
  const limit = terms.limit === undefined ? null : decimal(terms.limit);
  return {
    ...orderTerms(limit === null ? 'market' : 'limit', limit),
    symbol: 'AAPL',
    side: terms.side ?? 'buy',
    quantity: decimal(terms.quantity ?? '10'),
    filledQuantity: decimal(terms.filled ?? '0'),
    timeInForce: terms.timeInForce ?? 'day',
    createdAt: new Date(terms.createdAt ?? '2026-11-20T14:59:59.000Z'),
  };
}

/** Bid 99.90 for 1,000, ask 100.10 for 2,000, unless told otherwise. */
function quote(
  changes: Partial<Record<'bid' | 'ask' | 'bidSize' | 'askSize', string>> = {},
): Quote {
  return {
    symbol: 'AAPL',
    bid: decimal(changes.bid ?? '99.90'),
    ask: decimal(changes.ask ?? '100.10'),
    last: decimal('100.00'),
    bidSize: decimal(changes.bidSize ?? '1000'),
    askSize: decimal(changes.askSize ?? '2000'),
    asOf: NOW,
    source: 'test',
  };
}

function shown(decision: Decision): string {
  return decision.action === 'fill'
    ? `fill ${decision.quantity} at ${decision.price.toFixed(2)}, ${decision.remainder}`
    : decision.action;
}

const decide = (terms: Terms, at = quote()) => shown(match(order(terms), at, NOW));

describe('the price', () => {
  it.each<[OrderSide, string | undefined, string]>([
    ['buy', undefined, 'fill 10 at 100.10, none'],
    ['sell', undefined, 'fill 10 at 99.90, none'],
    // At the limit, and better than it: always the quote's price.
    ['buy', '100.10', 'fill 10 at 100.10, none'],
    ['buy', '250', 'fill 10 at 100.10, none'],
    ['sell', '99.90', 'fill 10 at 99.90, none'],
    ['sell', '0.01', 'fill 10 at 99.90, none'],
    // Inside the spread nobody trades.
    ['buy', '100.0999', 'rest'],
    ['buy', '99.90', 'rest'],
    ['sell', '99.9001', 'rest'],
    ['sell', '100.10', 'rest'],
  ])('of a %s limited to %s: %s', (side, limit, expected) => {
    expect(decide(limit === undefined ? { side } : { side, limit })).toBe(expected);
  });
});

describe('the time in force', () => {
  const MATRIX: Record<TimeInForce, Record<'whole' | 'part' | 'nothing' | 'off limit', string>> = {
    day: {
      whole: 'fill 2000 at 100.10, none',
      part: 'fill 2000 at 100.10, rest',
      nothing: 'rest',
      'off limit': 'rest',
    },
    gtc: {
      whole: 'fill 2000 at 100.10, none',
      part: 'fill 2000 at 100.10, rest',
      nothing: 'rest',
      'off limit': 'rest',
    },
    ioc: {
      whole: 'fill 2000 at 100.10, none',
      part: 'fill 2000 at 100.10, cancel',
      nothing: 'cancel',
      'off limit': 'cancel',
    },
    fok: {
      whole: 'fill 2000 at 100.10, none',
      part: 'cancel',
      nothing: 'cancel',
      'off limit': 'cancel',
    },
  };

  describe.each(TIMES_IN_FORCE)('%s', (timeInForce) => {
    it('when the displayed size covers the order exactly', () => {
      expect(decide({ timeInForce, quantity: '2000' })).toBe(MATRIX[timeInForce].whole);
      expect(decide({ timeInForce, quantity: '2000', limit: '101' })).toBe(
        MATRIX[timeInForce].whole,
      );
    });

    it('when the displayed size falls short by the smallest quantity', () => {
      expect(decide({ timeInForce, quantity: '2000.000001' })).toBe(MATRIX[timeInForce].part);
    });

    it.each([{ askSize: '0' }, { ask: '0' }])('when nobody offers (%o)', (empty) => {
      expect(decide({ timeInForce }, quote(empty))).toBe(MATRIX[timeInForce].nothing);
    });

    it('when the limit forbids it', () => {
      expect(decide({ timeInForce, limit: '100' })).toBe(MATRIX[timeInForce]['off limit']);
    });
  });

  it('of a sell looks at the size of the bid, not of the ask', () => {
    expect(decide({ side: 'sell', quantity: '1500' })).toBe('fill 1000 at 99.90, rest');
    expect(decide({ side: 'sell', quantity: '1500', timeInForce: 'fok' })).toBe('cancel');
  });
});

describe('an order that is already partially filled', () => {
  it('fills only what remains', () => {
    expect(decide({ quantity: '10', filled: '9.5' })).toBe('fill 0.5 at 100.10, none');
    expect(decide({ quantity: '5000', filled: '2500' })).toBe('fill 2000 at 100.10, rest');
    expect(decide({ quantity: '5000', filled: '3000', timeInForce: 'fok' })).toBe(
      'fill 2000 at 100.10, none',
    );
  });

  it.each(['10', '11'])('is refused when %s of 10 are filled', (filled) => {
    expect(() => match(order({ quantity: '10', filled }), quote(), NOW)).toThrow(RangeError);
  });
});

describe('the end of the trading day', () => {
  const createdAt = '2026-11-19T23:59:59.999Z';

  it('expires a day order, fillable or not, partially filled or not', () => {
    expect(decide({ createdAt })).toBe('expire');
    expect(decide({ createdAt, limit: '1' })).toBe('expire');
    expect(decide({ createdAt, filled: '5' })).toBe('expire');
  });

  it.each(TIMES_IN_FORCE.filter((timeInForce) => timeInForce !== 'day'))(
    'leaves a %s order alone',
    (timeInForce) => {
      expect(decide({ createdAt, timeInForce })).toBe('fill 10 at 100.10, none');
    },
  );

  it('does not come during the UTC date of the order', () => {
    expect(decide({ createdAt: '2026-11-20T00:00:00.000Z' })).toBe('fill 10 at 100.10, none');
  });
});

it('refuses the quote of another symbol', () => {
  expect(() => match(order({}), { ...quote(), symbol: 'MSFT' }, NOW)).toThrow(RangeError);
});

describe('over many orders and quotes', () => {
  const { integer, one } = generator(23);
  const price = () => decimal(integer(9_900, 10_100)).dividedBy(100);
  const size = () => decimal(integer(0, 30));

  function sample(): { order: MatchableOrder; quote: Quote } {
    const bid = price();
    const quantity = integer(1, 30);
    const limit = one<Decimal | null>([null, price()]);
    return {
      order: {
        ...orderTerms(limit === null ? 'market' : 'limit', limit),
        symbol: 'AAPL',
        side: one(ORDER_SIDES),
        quantity: decimal(quantity),
        filledQuantity: decimal(integer(0, quantity - 1)),
        timeInForce: one(TIMES_IN_FORCE),
        createdAt: one([NOW, new Date(NOW.getTime() - 86_400_000)]),
      },
      quote: { ...quote(), bid, ask: bid.plus('0.05'), bidSize: size(), askSize: size() },
    };
  }

  it('a fill never exceeds the remainder or the book, nor breaks the limit, and says what follows', () => {
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 5_000; round += 1) {
      const tried = sample();
      const decision = match(tried.order, tried.quote, NOW);
      const outcome = decision.action === 'fill' ? `fill, ${decision.remainder}` : decision.action;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);

      const { side, timeInForce } = tried.order;
      if (decision.action === 'rest') {
        expect(['day', 'gtc']).toContain(timeInForce);
      }
      if (decision.action === 'cancel') {
        expect(['ioc', 'fok']).toContain(timeInForce);
      }
      if (decision.action !== 'fill') {
        continue;
      }
      const remaining = tried.order.quantity.minus(tried.order.filledQuantity);
      const displayed = side === 'buy' ? tried.quote.askSize : tried.quote.bidSize;
      expect(decision.quantity.greaterThan(0)).toBe(true);
      expect(decision.quantity.lessThanOrEqualTo(remaining)).toBe(true);
      expect(decision.quantity.lessThanOrEqualTo(displayed)).toBe(true);
      expect(decision.remainder === 'none').toBe(decision.quantity.equals(remaining));
      expect(decision.price.equals(side === 'buy' ? tried.quote.ask : tried.quote.bid)).toBe(true);
      if (tried.order.type === 'limit') {
        const gain =
          side === 'buy'
            ? tried.order.limitPrice.minus(decision.price)
            : decision.price.minus(tried.order.limitPrice);
        expect(gain.greaterThanOrEqualTo(0)).toBe(true);
      }
    }
    // The sample reached every outcome there is, so none of the checks above was idle.
    expect([...outcomes.keys()].sort()).toEqual([
      'cancel',
      'expire',
      'fill, cancel',
      'fill, none',
      'fill, rest',
      'rest',
    ]);
  });
});
