import { describe, expect, it } from 'vitest';
import { decimal } from '../src/decimal.ts';
import { assertBalanced } from '../src/ledger.ts';
import { bookFill, type Fill, type Position, settleFill } from '../src/settlement.ts';
import { type Generator, generator } from './generator.ts';
import { cents, unscaled } from './scaled.ts';

const HUNDRED_AT_COST: Position = {
  quantity: decimal(100),
  costBasis: decimal(1000),
  realizedPnl: decimal(0),
};

describe('a fill that has happened', () => {
  it.each<[Fill['side'], string, string, Record<string, string>, [string, string]]>([
    // ten at one dollar; cash, owed; the entries; what is left of both
    ['buy', '10.01', '0', { cash: '-10', securities: '10' }, ['0.01', '0']],
    ['buy', '10', '7', { cash: '-10', securities: '10' }, ['0', '7']],
    ['buy', '9.99', '0', { cash: '-9.99', payable: '-0.01', securities: '10' }, ['0', '0.01']],
    ['buy', '4', '7', { cash: '-4', payable: '-6', securities: '10' }, ['0', '13']],
    ['buy', '0', '7', { payable: '-10', securities: '10' }, ['0', '17']],
    ['sell', '0', '7', { cash: '10', securities: '-100', realized_pnl: '90' }, ['10', '7']],
  ])('to %s, of who has %s and owes %s', (side, cash, owed, expected, left) => {
    const fill = { side, quantity: decimal(10), price: decimal(1) };
    const money = { cash: decimal(cash), owed: decimal(owed) };
    const booked = bookFill(settleFill(HUNDRED_AT_COST, fill), money);
    assertBalanced(booked.entries);
    expect(
      Object.fromEntries(booked.entries.map(({ ledger, amount }) => [ledger, amount.toFixed()])),
    ).toEqual(expected);
    expect([booked.cash.toFixed(), booked.owed.toFixed()]).toEqual(left);
  });

  it('costs what its parts cost, each rounded up, which the one hold for all of them does not cover', () => {
    let money = { cash: decimal('1000.01'), owed: decimal('0.01') };
    for (const shares of [33, 33, 34]) {
      const fill = { side: 'buy', quantity: decimal(shares), price: decimal('10.0001') } as const;
      money = bookFill(settleFill(null, fill), money);
    }
    expect([money.cash.toFixed(), money.owed.toFixed()]).toEqual(['0', '0.03']);
  });
});

/** From dust to more than there is. */
function someBuy({ integer }: Generator): Fill {
  const quantity = unscaled(BigInt(integer(1, 10 ** integer(1, 9))), 6);
  return { side: 'buy', quantity, price: unscaled(BigInt(integer(1, 10 ** integer(1, 8))), 4) };
}

it('over many runs the entries balance and say what was spent and lent, and the cash is never negative', () => {
  let lent = 0;
  for (let seed = 0; seed < 300; seed += 1) {
    const random = generator(seed);
    const start = { cash: unscaled(BigInt(random.integer(0, 10 ** 7)), 2), owed: decimal(0) };
    let position: Position | null = null;
    let money = start;
    let [spent, owed] = [0n, 0n];
    for (let count = random.integer(1, 20); count > 0; count -= 1) {
      const sells = position !== null && random.integer(0, 3) === 0;
      const buy = someBuy(random);
      const quantity = sells ? (position?.quantity ?? buy.quantity) : buy.quantity;
      if (quantity.isZero()) continue;
      const settlement = settleFill(position, { ...buy, side: sells ? 'sell' : 'buy', quantity });
      const booked = bookFill(settlement, money);
      assertBalanced(booked.entries);
      for (const { ledger, amount } of booked.entries) {
        if (ledger === 'cash') spent -= cents(amount);
        if (ledger === 'payable') owed -= cents(amount);
      }
      const securities = booked.entries.filter(({ ledger }) => ledger === 'securities');
      expect(securities).toEqual(
        settlement.entries.filter(({ ledger }) => ledger === 'securities'),
      );
      expect(booked.cash.isNegative() && !booked.cash.isZero(), `seed ${seed}`).toBe(false);
      // Nothing is lent to who could pay, and nothing is paid back by a sale.
      const isLent = booked.owed.greaterThan(money.owed);
      expect(booked.owed.lessThan(money.owed) || (isLent && !booked.cash.isZero())).toBe(false);
      expect(isLent && sells, `seed ${seed}`).toBe(false);
      const net = booked.cash.minus(booked.owed);
      expect(net.equals(money.cash.minus(money.owed).plus(settlement.cashDelta))).toBe(true);
      lent += isLent ? 1 : 0;
      ({ position } = settlement);
      money = booked;
    }
    expect(cents(money.cash), `seed ${seed}`).toBe(cents(start.cash) - spent);
    expect(cents(money.owed), `seed ${seed}`).toBe(owed);
  }
  expect(lent).toBeGreaterThan(300);
});
