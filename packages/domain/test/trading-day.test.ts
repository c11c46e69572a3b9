import { describe, expect, it } from 'vitest';
import { isTradingDayOver, tradingDayEnd } from '../src/trading-day.ts';

describe('the trading day', () => {
  it.each([
    ['2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z'],
    ['2026-11-20T23:59:59.999Z', '2026-11-21T00:00:00.000Z'],
    ['2026-11-20T23:30:00.000-05:00', '2026-11-22T00:00:00.000Z'],
    ['2026-12-31T12:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2028-02-28T12:00:00.000Z', '2028-02-29T00:00:00.000Z'],
  ])('of %s ends at %s', (createdAt, end) => {
    expect(tradingDayEnd(new Date(createdAt)).toISOString()).toBe(end);
  });

  it('is over at its end, not a millisecond before', () => {
    const createdAt = new Date('2026-11-20T08:00:00.000Z');
    expect(isTradingDayOver(createdAt, new Date('2026-11-20T23:59:59.999Z'))).toBe(false);
    expect(isTradingDayOver(createdAt, new Date('2026-11-21T00:00:00.000Z'))).toBe(true);
  });

  it('is not over for a clock that runs behind the one that took the order', () => {
    const createdAt = new Date('2026-11-20T00:00:00.005Z');
    expect(isTradingDayOver(createdAt, new Date('2026-11-19T23:59:59.990Z'))).toBe(false);
  });

  it('refuses a date that is not one', () => {
    expect(() => tradingDayEnd(new Date(Number.NaN))).toThrow(RangeError);
  });
});
