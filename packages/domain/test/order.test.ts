import { describe, expect, it } from 'vitest';
import { decimal } from '../src/decimal.ts';
import {
  canTransition,
  IllegalTransition,
  isOpen,
  isTerminal,
  OPEN_STATUSES,
  ORDER_STATUSES,
  type OrderStatus,
  orderTerms,
  REJECT_CODES,
  REJECT_REASONS,
  TERMINAL_STATUSES,
  transition,
} from '../src/order.ts';

/**
 * The table once more, drawn the other way: a row per origin, `x` where an order may go, the destinations in
 * the order of ORDER_STATUSES. Not derived from TRANSITIONS, so a changed arrow shows here.
 */
const MATRIX: Record<OrderStatus, string> = {
  accepted: '.x..xxxx',
  submitted: '..xxxxxx',
  partially_filled: '..xxx.xx',
  filled: '........',
  canceled: '........',
  rejected: '........',
  expired: '........',
  unknown: '.xxxxxx.',
};

const pairs = ORDER_STATUSES.flatMap((from) => {
  const marks = MATRIX[from];
  return ORDER_STATUSES.map((to, column) => ({ from, to, allowed: marks[column] === 'x' }));
});

describe('the order state machine', () => {
  it('is tested on every pair of its statuses', () => {
    expect(pairs).toHaveLength(64);
    expect(pairs.filter((pair) => pair.allowed)).toHaveLength(22);
  });

  it.each(pairs.filter((pair) => pair.allowed))('lets $from become $to', ({ from, to }) => {
    expect(transition(from, to)).toBe(to);
    expect(canTransition(from, to)).toBe(true);
  });

  it.each(pairs.filter((pair) => !pair.allowed))('keeps $from from $to', ({ from, to }) => {
    expect(canTransition(from, to)).toBe(false);
    expect(() => transition(from, to)).toThrow(IllegalTransition);
    expect(() => transition(from, to)).toThrow(expect.objectContaining({ from, to }));
  });

  it('divides the statuses into open and terminal', () => {
    expect(OPEN_STATUSES).toEqual(['accepted', 'submitted', 'partially_filled', 'unknown']);
    expect(TERMINAL_STATUSES).toEqual(['filled', 'canceled', 'rejected', 'expired']);
    expect(ORDER_STATUSES.filter(isOpen)).toEqual(OPEN_STATUSES);
    expect(ORDER_STATUSES.filter(isTerminal)).toEqual(TERMINAL_STATUSES);
  });

  it('can end an order from every open status', () => {
    for (const status of OPEN_STATUSES) {
      expect(TERMINAL_STATUSES.some((end) => canTransition(status, end))).toBe(true);
    }
  });
});

describe('reject codes', () => {
  it('have a reason each, a sentence of its own', () => {
    const reasons = REJECT_CODES.map((code) => REJECT_REASONS[code]);
    expect(new Set(reasons).size).toBe(REJECT_CODES.length);
    for (const reason of reasons) {
      expect(reason).toMatch(/^[A-Z].{20,}\.$/);
    }
  });
});

describe('order terms', () => {
  const limit = decimal('10.5');

  it('carry a limit exactly when the type is limit', () => {
    expect(orderTerms('market', null)).toEqual({ type: 'market' });
    expect(orderTerms('limit', limit)).toEqual({ type: 'limit', limitPrice: limit });
  });

  it('refuse a limit order without a limit and a market order with one', () => {
    expect(() => orderTerms('limit', null)).toThrow(RangeError);
    expect(() => orderTerms('market', limit)).toThrow(RangeError);
  });
});
