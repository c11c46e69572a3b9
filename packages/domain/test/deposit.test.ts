import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { decimal, ZERO } from '../src/decimal.ts';
import {
  DEPOSIT_STATUSES,
  type DepositFacts,
  type DepositState,
  DISPUTE_STATUSES,
  type MovementKind,
  mergeFacts,
  owedMovements,
} from '../src/deposit.ts';
import { type DepositNews, newsOf } from '../src/deposit-news.ts';
import { hearAll, permutations, sums, UNKNOWN } from './deposit-run.ts';
import { type Generator, generator } from './generator.ts';

const SEEDS = Array.from({ length: 500 }, (_, seed) => seed);

const someDispute = ({ integer, one }: Generator) => ({
  id: `dp_${integer(1, 3)}`,
  amount: integer(1, 50) * 100,
  status: one(DISPUTE_STATUSES),
});

/** Each dispute once, as a state has them. */
function someDisputes(random: Generator) {
  const disputes = Array.from({ length: random.integer(0, 3) }, () => someDispute(random));
  return [...new Map(disputes.map((dispute) => [dispute.id, dispute])).values()];
}

function someState(random: Generator): DepositState {
  return {
    status: random.one(DEPOSIT_STATUSES),
    receivedAmount: random.integer(0, 5) * 2_500,
    refundedAmount: random.integer(0, 5) * 3_000,
    failedRefundAmount: random.integer(0, 5) * 1_000,
    disputes: someDisputes(random),
  };
}

/** Speaks of some things only. */
function someFacts(random: Generator): DepositFacts {
  const { disputes, ...others } = someState(random);
  const told = Object.fromEntries(Object.entries(others).filter(() => random.integer(0, 1) === 1));
  return random.integer(0, 1) === 1 ? { ...told, disputes } : told;
}

function shuffled<T>(values: readonly T[], { integer }: Generator): T[] {
  return values
    .map((value) => ({ value, at: integer(0, 1_000_000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

describe('merging', () => {
  it('takes turns in any order, in any grouping, and any number of times', () => {
    for (const seed of SEEDS) {
      const random = generator(seed);
      const [a, b, c] = [someState(random), someState(random), someState(random)];
      const ab = mergeFacts(a, b);
      expect(mergeFacts(b, a), `seed ${seed}`).toEqual(ab);
      expect(mergeFacts(ab, c)).toEqual(mergeFacts(a, mergeFacts(b, c)));
      expect(mergeFacts(ab, b)).toEqual(ab);
      expect(mergeFacts(ab, ab)).toEqual(ab);
      expect(mergeFacts(ab, {})).toEqual(ab);
    }
  });

  it('takes the higher of two, and what only one has said', () => {
    const known = mergeFacts(UNKNOWN, {
      status: 'succeeded',
      receivedAmount: 500,
      disputes: [{ id: 'b', amount: 100, status: 'lost' }],
    });
    const more: DepositFacts = {
      status: 'failed',
      refundedAmount: 200,
      disputes: [
        { id: 'b', amount: 90, status: 'won' },
        { id: 'a', amount: 5, status: 'open' },
      ],
    };
    expect(mergeFacts(known, more)).toEqual({
      status: 'succeeded',
      receivedAmount: 500,
      refundedAmount: 200,
      failedRefundAmount: 0,
      disputes: [
        { id: 'a', amount: 5, status: 'open' },
        { id: 'b', amount: 100, status: 'won' },
      ],
    });
  });
});

describe('what is posted', () => {
  const lifecycle = (...end: DepositFacts[]): DepositFacts[] => [
    { status: 'failed' },
    { status: 'succeeded', receivedAmount: 10_000 },
    { refundedAmount: 3_000 },
    { refundedAmount: 5_000 },
    { failedRefundAmount: 2_000 },
    ...end,
  ];
  const dispute = (status: 'open' | 'won' | 'lost', amount: number): DepositFacts => ({
    disputes: [{ id: 'dp', amount, status }],
  });
  const paid = { deposit: 10_000, refund: 5_000, refund_reversal: 2_000 };

  it.each([
    {
      end: 'won',
      facts: lifecycle(dispute('open', 4_000), dispute('won', 4_000)),
      posted: { ...paid, 'dispute dp': 4_000, 'dispute_reversal dp': 4_000 },
      cash: '70',
      owed: '0',
    },
    {
      end: 'lost',
      facts: lifecycle(dispute('open', 4_000), dispute('lost', 4_000)),
      posted: { ...paid, 'dispute dp': 4_000 },
      cash: '30',
      owed: '0',
    },
    {
      end: 'lost with more than is left',
      facts: lifecycle(dispute('open', 9_000), dispute('lost', 10_000)),
      posted: { ...paid, 'dispute dp': 10_000 },
      cash: '0',
      owed: '30',
    },
  ])('is the same after each of the 5,040 orders of a dispute that was $end', (expected) => {
    let count = 0;
    for (const order of permutations(expected.facts)) {
      const { posted, funds, ledgers } = hearAll(order);
      expect(sums(posted)).toEqual(expected.posted);
      expect([funds.freeCash.toFixed(), funds.owed.toFixed()]).toEqual([
        expected.cash,
        expected.owed,
      ]);
      const net = BigInt(expected.cash) - BigInt(expected.owed);
      expect(ledgers.equity).toBe(-100n * net);
      count += 1;
    }
    expect(count).toBe(5_040);
  });

  it('is the same after any facts in any order, however often each is heard', () => {
    for (const seed of SEEDS) {
      const random = generator(seed);
      const facts = Array.from({ length: random.integer(1, 10) }, () => someFacts(random));
      const start = { freeCash: decimal(random.integer(0, 100)), owed: ZERO };
      const once = hearAll(facts, start);
      for (let round = 0; round < 5; round += 1) {
        const again = hearAll(shuffled([...facts, ...facts, ...facts], random), start);
        expect(again.state, `seed ${seed}`).toEqual(once.state);
        expect(sums(again.posted)).toEqual(sums(once.posted));
        expect(again.funds.freeCash.equals(once.funds.freeCash)).toBe(true);
        expect(again.funds.owed.equals(once.funds.owed)).toBe(true);
      }
      expect(owedMovements(once.state, once.posted)).toEqual([]);
    }
  });

  it('is nothing before the payment, whatever is taken back', () => {
    const taken = mergeFacts(UNKNOWN, { refundedAmount: 500, ...dispute('lost', 100) });
    expect(owedMovements(taken, [])).toEqual([]);
    expect(owedMovements(mergeFacts(taken, { receivedAmount: 400 }), [])).toEqual([
      { kind: 'deposit', amount: 400, disputeId: null },
      { kind: 'refund', amount: 400, disputeId: null },
      { kind: 'dispute', amount: 100, disputeId: 'dp' },
    ]);
  });

  it('is never more than is known', () => {
    const posted = [{ kind: 'deposit', amount: 401, disputeId: null }] as const;
    expect(() => owedMovements({ ...UNKNOWN, receivedAmount: 400 }, posted)).toThrow(/401/);
  });
});

describe('news', () => {
  it('is told once, in the order in which it would have happened', () => {
    const after = mergeFacts(UNKNOWN, {
      status: 'succeeded',
      receivedAmount: 10,
      refundedAmount: 5,
      failedRefundAmount: 1,
      disputes: [{ id: 'dp', amount: 4, status: 'lost' }],
    });
    expect(newsOf(UNKNOWN, after)).toEqual([
      'deposit.created',
      'deposit.succeeded',
      'deposit.refunded',
      'deposit.refund_failed',
      'deposit.dispute_opened',
      'deposit.dispute_lost',
    ]);
    expect(newsOf(after, after)).toEqual([]);
  });

  it.each(['failed', 'canceled'] as const)('says that a payment %s', (status) => {
    const pending = mergeFacts(UNKNOWN, { status: 'pending' });
    expect(newsOf(UNKNOWN, pending)).toEqual(['deposit.created']);
    expect(newsOf(pending, mergeFacts(pending, { status }))).toEqual([`deposit.${status}`]);
  });

  it('says how a dispute that is known went on', () => {
    const at = (status: 'open' | 'won' | 'lost') =>
      mergeFacts(UNKNOWN, { disputes: [{ id: 'dp', amount: 4, status }] });
    expect(newsOf(at('open'), at('won'))).toEqual(['deposit.dispute_won']);
    expect(newsOf(at('lost'), at('won'))).toEqual(['deposit.dispute_won']);
  });

  it('says that a dispute takes more than it did', () => {
    const at = (amount: number, status: 'open' | 'lost') =>
      mergeFacts(UNKNOWN, { disputes: [{ id: 'dp', amount, status }] });
    expect(newsOf(at(20, 'open'), at(50, 'open'))).toEqual(['deposit.dispute_updated']);
    expect(newsOf(at(20, 'open'), at(50, 'lost'))).toEqual([
      'deposit.dispute_updated',
      'deposit.dispute_lost',
    ]);
  });

  it('is told of every movement of money, with it or before it, and never when nothing is new', () => {
    const tells: Record<MovementKind, readonly DepositNews[]> = {
      deposit: ['deposit.succeeded'],
      refund: ['deposit.refunded'],
      refund_reversal: ['deposit.refund_failed'],
      dispute: ['deposit.dispute_opened', 'deposit.dispute_updated'],
      dispute_reversal: ['deposit.dispute_won'],
    };
    for (const seed of SEEDS) {
      const random = generator(seed);
      const facts = Array.from({ length: random.integer(1, 10) }, () => someFacts(random));
      const told = new Set<DepositNews>();
      for (const { before, state, movements } of hearAll(facts).steps) {
        const news = newsOf(before, state);
        expect(news.length === 0, `seed ${seed}`).toBe(isDeepStrictEqual(before, state));
        if (movements.length > 0) expect(news, `seed ${seed}`).not.toEqual([]);
        for (const one of news) told.add(one);
        for (const { kind } of movements) {
          expect(
            tells[kind].some((one) => told.has(one)),
            `seed ${seed}: ${kind}`,
          ).toBe(true);
        }
      }
    }
  });
});
