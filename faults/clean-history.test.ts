import { describe, expect, it } from 'vitest';
import { checkHistory, tally } from './check-history.ts';
import { CONFIRMATION, clean, facts, heardOf, listening, ORDER } from './history-example.ts';

describe('the history of a run', () => {
  it('is clean when all went well', () => {
    expect(checkHistory(clean())).toEqual([]);
    expect(tally(clean())).toEqual({
      accepted: 5,
      deposits: 1,
      effects: 5,
      unanswered: 1,
      mailTwins: 1,
    });
  });

  it('is clean when a request that was never answered has had its effect', () => {
    const { orders: rows, emails, received, fills, events, listeners } = clean().facts;
    const unheard = { ...ORDER, id: 'order-6', quantity: '9.000009' };
    const news = ['order.accepted', 'order.filled'].map((type) => ({
      id: `${type} 6`,
      accountId: ORDER.accountId,
      type,
      subjectId: 'order-6',
    }));
    const evidence = facts({
      orders: [...rows, unheard],
      fills: [...fills, { orderId: 'order-6', executionId: 'execution-6', quantity: '9.000009' }],
      emails: [...emails, { ...CONFIRMATION, id: 'mail-6', subjectId: 'order-6' }],
      received: new Map([...received, ['mail-6', 1]]),
      events: [...events, ...news],
      listeners: listeners
        .filter(({ isOrdered }) => !isOrdered)
        .map((one) => ({ ...one, heard: [...one.heard, ...news.map(heardOf)] })),
    });
    expect(checkHistory(evidence)).toEqual([]);
  });

  it('is clean when an endpoint is told again, and at once or later', () => {
    expect(checkHistory(listening((heard) => [...heard, ...heard]))).toEqual([]);
    expect(checkHistory(listening((heard) => heard.flatMap((one) => [one, one])))).toEqual([]);
  });
});
