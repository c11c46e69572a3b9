import { describe, expect, it } from 'vitest';
import { decimal } from '../src/decimal.ts';
import { assertBalanced, paperGrant, UnbalancedEntries } from '../src/ledger.ts';

describe('assertBalanced', () => {
  it('takes entries that add up to exactly zero', () => {
    expect(() =>
      assertBalanced([
        { ledger: 'cash', amount: decimal('0.1') },
        { ledger: 'cash', amount: decimal('0.2') },
        { ledger: 'equity', amount: decimal('-0.3') },
      ]),
    ).not.toThrow();
  });

  it.each(['0.01', '-0.01', '0.0000000001'])('refuses entries that are off by %s', (error) => {
    expect(() =>
      assertBalanced([
        { ledger: 'cash', amount: decimal('1000000') },
        { ledger: 'equity', amount: decimal('-1000000').plus(error) },
      ]),
    ).toThrow(UnbalancedEntries);
  });
});

describe('a paper grant', () => {
  it.each(['100000.00', '0.01', '0'])('of %s is cash from equity', (amount) => {
    const entries = paperGrant(decimal(amount));
    expect(entries.map((entry) => entry.ledger)).toEqual(['cash', 'equity']);
    expect(entries[0]?.amount.equals(amount)).toBe(true);
    expect(() => assertBalanced(entries)).not.toThrow();
  });

  it.each(['-0.01', '0.001'])('of %s is refused', (amount) => {
    expect(() => paperGrant(decimal(amount))).toThrow(RangeError);
  });
});
