import { describe, expect, it } from 'vitest';
import type { LedgerName } from '../src/ledger.ts';
import { type Fill, type Position, settleFill } from '../src/settlement.ts';
import { type Generator, generator } from './generator.ts';
import { cents, scaled, unscaled } from './scaled.ts';

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);

/** Magnitudes from dust to the largest accepted value, so that every rounding is reached. */
function magnitude({ integer }: Generator, digits: number): bigint {
  return BigInt(integer(1, 10 ** integer(1, digits) - 1));
}

/** Millionths of a share. */
const someQuantity = (random: Generator) => magnitude(random, 15);
/** Ten-thousandths of a dollar. */
const somePrice = (random: Generator) => magnitude(random, 10);

function trade(side: Fill['side'], quantity: bigint, price: bigint): Fill {
  return { side, quantity: unscaled(quantity, 6), price: unscaled(price, 4) };
}

/** A run of fills that never sells more than held and sometimes sells all, ending flat when asked to. */
function someTrades(random: Generator, endFlat: boolean): Fill[] {
  const trades: Fill[] = [];
  let held = 0n;
  for (let count = random.integer(1, 30); count > 0; count -= 1) {
    const wanted = someQuantity(random);
    if (held > 0n && random.integer(0, 1) === 1) {
      const sold = random.integer(0, 4) === 0 || wanted > held ? held : wanted;
      trades.push(trade('sell', sold, somePrice(random)));
      held -= sold;
    } else {
      trades.push(trade('buy', wanted, somePrice(random)));
      held += wanted;
    }
  }
  if (endFlat && held > 0n) {
    trades.push(trade('sell', held, somePrice(random)));
  }
  return trades;
}

interface Books {
  position: Position | null;
  ledgers: Record<LedgerName, bigint>;
}

const emptyBooks = (): Books => ({
  position: null,
  ledgers: { cash: 0n, securities: 0n, realized_pnl: 0n, equity: 0n, payable: 0n },
});

/** Books a fill in integer cents, whose sums cannot round. */
function book(books: Books, fill: Fill): Books {
  const { position, entries, cashDelta } = settleFill(books.position, fill);
  const ledgers = { ...books.ledgers };
  for (const entry of entries) {
    ledgers[entry.ledger] += cents(entry.amount);
  }
  expect(cents(cashDelta)).toBe(ledgers.cash - books.ledgers.cash);
  return { position, ledgers };
}

describe.each([false, true])('over many runs of buys and sells, ending flat: %s', (endFlat) => {
  it('the ledger balances and agrees with the position after every fill', () => {
    for (const seed of SEEDS) {
      let books = emptyBooks();
      let held = 0n;
      for (const fill of someTrades(generator(seed), endFlat)) {
        books = book(books, fill);
        const quantity = scaled(fill.quantity.toFixed(), 6);
        held += fill.side === 'buy' ? quantity : -quantity;
        const { position, ledgers } = books;
        if (position === null) {
          throw new Error('a fill leaves a position');
        }
        const sum = ledgers.cash + ledgers.securities + ledgers.realized_pnl + ledgers.equity;
        expect(sum, `seed ${seed}`).toBe(0n);
        expect(ledgers.securities, `seed ${seed}`).toBe(cents(position.costBasis));
        expect(ledgers.realized_pnl, `seed ${seed}`).toBe(-cents(position.realizedPnl));
        expect(scaled(position.quantity.toFixed(), 6), `seed ${seed}`).toBe(held);
        expect(position.costBasis.greaterThanOrEqualTo(0), `seed ${seed}`).toBe(true);
      }
      if (endFlat) {
        expect(held).toBe(0n);
        expect(books.ledgers.securities, `seed ${seed}`).toBe(0n);
        expect(books.position?.costBasis.isZero()).toBe(true);
        // With nothing held, all that happened to the cash is profit or loss.
        expect(books.ledgers.cash).toBe(-books.ledgers.realized_pnl);
      }
    }
  });
});

describe('one fill, against integer arithmetic', () => {
  const CENT = 10n ** 8n; // in units of 10^-10 dollars: millionths of a share times 10^-4 dollars

  it('pays up to the cent, receives down to the cent and moves the basis half up', () => {
    const random = generator(99);
    for (let round = 0; round < 5_000; round += 1) {
      const [held, basis] = [someQuantity(random), magnitude(random, 15)];
      const price = somePrice(random);
      const before: Position = {
        quantity: unscaled(held, 6),
        costBasis: unscaled(basis, 2),
        realizedPnl: unscaled(0n, 2),
      };

      const bought = someQuantity(random);
      const buy = settleFill(before, trade('buy', bought, price));
      const cost = (bought * price + CENT - 1n) / CENT;
      expect(cents(buy.cashDelta)).toBe(-cost);
      expect(cents(buy.position.costBasis)).toBe(basis + cost);

      const sellsAll = bought >= held;
      const sold = sellsAll ? held : bought;
      const sell = settleFill(before, trade('sell', sold, price));
      const proceeds = (sold * price) / CENT;
      const moved = (2n * basis * sold + held) / (2n * held);
      expect(cents(sell.cashDelta)).toBe(proceeds);
      expect(cents(sell.position.costBasis)).toBe(basis - moved);
      expect(cents(sell.position.realizedPnl)).toBe(proceeds - moved);
    }
  });

  it('never makes money of buying and selling at one price, in however many pieces', () => {
    for (const seed of SEEDS) {
      const random = generator(seed);
      const price = somePrice(random);
      const pieces = Array.from({ length: random.integer(1, 8) }, () => someQuantity(random));
      const total = pieces.reduce((sum, piece) => sum + piece, 0n);

      let split = emptyBooks();
      for (const piece of pieces) {
        split = book(split, trade('buy', piece, price));
      }
      split = book(split, trade('sell', total, price));
      let whole = book(emptyBooks(), trade('buy', total, price));
      for (const piece of pieces) {
        whole = book(whole, trade('sell', piece, price));
      }
      for (const { ledgers } of [split, whole]) {
        expect(ledgers.cash, `seed ${seed}`).toBeLessThanOrEqual(0n);
        // Nor does rounding cost more than a cent a fill.
        expect(ledgers.cash).toBeGreaterThanOrEqual(-BigInt(pieces.length + 1));
      }
    }
  });
});
