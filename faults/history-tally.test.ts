import { describe, expect, it } from 'vitest';
import { tally } from './check-history.ts';
import { clean, DEPOSIT, facts, ORDER, orders } from './history-example.ts';

describe('the history of a run', () => {
  it('counts a lost order as accepted without an effect', () => {
    const evidence = facts({ orders: clean().facts.orders.slice(1), fills: [] });
    expect(tally(evidence)).toMatchObject({ accepted: 5, effects: 4 });
  });

  it('counts a deposit whose books are a cent short as accepted without an effect', () => {
    const evidence = facts({ deposits: [{ ...DEPOSIT, posted: 9_999 }] });
    expect(tally(evidence)).toMatchObject({ accepted: 5, effects: 4 });
  });

  it('counts an order that was never executed as accepted without an effect', () => {
    const evidence = orders(clean(), () => ({ status: 'accepted' }));
    expect(tally(evidence)).toMatchObject({ accepted: 5, effects: 2 });
  });

  it('counts an order that is there twice as two effects', () => {
    const evidence = facts({ orders: [...clean().facts.orders, { ...ORDER, id: 'order-1b' }] });
    expect(tally(evidence)).toMatchObject({ accepted: 5, effects: 6 });
  });
});
