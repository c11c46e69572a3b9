import { describe, expect, it } from 'vitest';
import { decimal, formatMoney, formatQuantity } from '../src/decimal.ts';
import {
  averagePrice,
  type Fill,
  Oversold,
  type Position,
  requiredCash,
  settleFill,
} from '../src/settlement.ts';

function fill(side: Fill['side'], quantity: string, price: string): Fill {
  return { side, quantity: decimal(quantity), price: decimal(price) };
}

function position(quantity: string, costBasis: string, realizedPnl: string): Position {
  return {
    quantity: decimal(quantity),
    costBasis: decimal(costBasis),
    realizedPnl: decimal(realizedPnl),
  };
}

/** The effect in the API's spelling, to read it at a glance. */
function shown(before: Position | null, trade: Fill) {
  const { position: after, entries, cashDelta } = settleFill(before, trade);
  return {
    held: formatQuantity(after.quantity),
    basis: formatMoney(after.costBasis),
    pnl: formatMoney(after.realizedPnl),
    entries: entries.map((entry) => `${entry.ledger} ${formatMoney(entry.amount)}`),
    cash: formatMoney(cashDelta),
  };
}

describe('a buy', () => {
  it('opens a position at cost', () => {
    expect(shown(null, fill('buy', '3', '187.42'))).toEqual({
      held: '3',
      basis: '562.26',
      pnl: '0.00',
      entries: ['cash -562.26', 'securities 562.26'],
      cash: '-562.26',
    });
  });

  it('adds to a position and leaves its realized profit alone', () => {
    expect(shown(position('3', '562.26', '-7.5'), fill('buy', '0.5', '10.01'))).toEqual({
      held: '3.5',
      basis: '567.27',
      pnl: '-7.50',
      entries: ['cash -5.01', 'securities 5.01'],
      cash: '-5.01',
    });
  });

  it('of dust costs a cent', () => {
    expect(shown(null, fill('buy', '0.000001', '0.0001')).cash).toBe('-0.01');
  });
});

describe('a sell', () => {
  it('of a part takes its share of the cost basis and realizes the profit', () => {
    expect(shown(position('4', '400', '1'), fill('sell', '1', '150.25'))).toEqual({
      held: '3',
      basis: '300.00',
      pnl: '51.25',
      entries: ['cash 150.25', 'securities -100.00', 'realized_pnl -50.25'],
      cash: '150.25',
    });
  });

  it('at a loss debits the income account', () => {
    expect(shown(position('4', '400', '0'), fill('sell', '1', '80'))).toMatchObject({
      pnl: '-20.00',
      entries: ['cash 80.00', 'securities -100.00', 'realized_pnl 20.00'],
    });
  });

  it('rounds the share of the cost basis half up', () => {
    // 0.25 / 2 is 0.125; 1.00 / 3 is 0.333…
    expect(shown(position('2', '0.25', '0'), fill('sell', '1', '1')).basis).toBe('0.12');
    expect(shown(position('3', '1.00', '0'), fill('sell', '1', '1')).basis).toBe('0.67');
  });

  it('of everything takes all the cost basis that is left', () => {
    // Two thirds sold one by one leave 0.34, not 0.33.
    const left = settleFill(position('3', '1.00', '0'), fill('sell', '2', '1')).position;
    expect(shown(left, fill('sell', '1', '1'))).toMatchObject({
      held: '0',
      basis: '0.00',
      pnl: '2.00',
      entries: ['cash 1.00', 'securities -0.33', 'realized_pnl -0.67'],
    });
  });

  it('of dust gives nothing', () => {
    expect(shown(position('1', '100', '0'), fill('sell', '0.000001', '100')).cash).toBe('0.00');
  });

  it.each<[string, Position | null]>([
    ['nothing', null],
    ['a flat position', position('0', '0', '5')],
    ['less', position('0.999999', '1', '0')],
  ])('is refused when %s is held', (_held, before) => {
    expect(() => settleFill(before, fill('sell', '1', '10'))).toThrow(Oversold);
  });
});

it.each<[Fill['side'], string, string]>([
  ['buy', '0', '1'],
  ['buy', '-1', '1'],
  ['buy', '1', '0'],
  ['sell', '0', '1'],
  ['sell', '-1', '1'],
  ['sell', '1', '-1'],
])('a fill to %s %s at %s is refused', (side, quantity, price) => {
  const before = position('10', '10', '0');
  expect(() => settleFill(before, fill(side, quantity, price))).toThrow(RangeError);
});

describe('averagePrice', () => {
  it('weighs by quantity', () => {
    expect(averagePrice([fill('buy', '1', '10'), fill('buy', '3', '20')])?.toFixed()).toBe('17.5');
  });

  it('rounds to 6 decimals, half up', () => {
    expect(averagePrice([fill('buy', '2', '1'), fill('buy', '1', '0.0001')])?.toFixed()).toBe(
      '0.6667',
    );
    expect(averagePrice([fill('buy', '1', '1'), fill('buy', '2', '2')])?.toFixed()).toBe(
      '1.666667',
    );
    // 1.0000005 exactly.
    expect(
      averagePrice([fill('buy', '0.995', '1'), fill('buy', '0.005', '1.0001')])?.toFixed(),
    ).toBe('1.000001');
  });

  it('is the price of equal fills, however many', () => {
    const fills = Array.from({ length: 1_000 }, () => fill('buy', '0.333333', '187.4201'));
    expect(averagePrice(fills)?.toFixed()).toBe('187.4201');
  });

  it('is null without fills', () => {
    expect(averagePrice([])).toBeNull();
  });
});

describe('requiredCash', () => {
  it('is the limit of a limit order, whatever the market says', () => {
    const terms = { type: 'limit', limitPrice: decimal('10.001') } as const;
    expect(formatMoney(requiredCash(decimal('3'), terms, decimal('999')))).toBe('30.01');
  });

  it('is the last known price for a market order', () => {
    const held = requiredCash(decimal('0.000001'), { type: 'market' }, decimal('187.42'));
    expect(formatMoney(held)).toBe('0.01');
  });
});
