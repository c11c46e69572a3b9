import type { Database } from './client.ts';
import { DEPOSIT_INVARIANTS } from './deposit-invariants.ts';
import { Prisma } from './generated/client.ts';
import { type Invariant, owes } from './invariant.ts';
import { MAIL_INVARIANTS } from './mail-invariants.ts';
import { WEBHOOK_INVARIANTS } from './webhook-invariants.ts';

/** The sum of an account's fills by position. */
const HELD = Prisma.sql`
  SELECT o.account_id, o.symbol, o.position_type,
    sum(CASE o.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END) AS quantity
  FROM fill f JOIN "order" o ON o.id = f.order_id
  GROUP BY 1, 2, 3`;

const INVARIANTS: readonly Invariant[] = [
  {
    name: 'the entries of every ledger transaction add up to zero',
    violations: Prisma.sql`
      SELECT format('transaction %s adds up to %s', t.id, COALESCE(sum(e.amount)::text, 'nothing')) AS violation
      FROM ledger_transaction t LEFT JOIN ledger_entry e ON e.transaction_id = t.id
      GROUP BY t.id HAVING sum(e.amount) IS DISTINCT FROM 0`,
  },
  {
    name: 'every cash balance is the sum of its entries, and not negative',
    violations: Prisma.sql`
      SELECT format('account %s has %s, its entries %s', a.id, a.cash, COALESCE(sum(e.amount), 0)) AS violation
      FROM account a LEFT JOIN ledger_entry e ON e.account_id = a.id AND e.ledger = 'cash'
      GROUP BY a.id HAVING a.cash <> COALESCE(sum(e.amount), 0) OR a.cash < 0`,
  },
  {
    name: "an account's securities in the ledger are what its positions cost",
    violations: Prisma.sql`
      SELECT format('account %s: ledger %s, positions %s', a.id, l.amount, p.cost) AS violation
      FROM account a
      CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS amount FROM ledger_entry
        WHERE account_id = a.id AND ledger = 'securities') l
      CROSS JOIN LATERAL (SELECT COALESCE(sum(cost_basis), 0) AS cost FROM position WHERE account_id = a.id) p
      WHERE l.amount <> p.cost`,
  },
  {
    name: 'every fill has its ledger transaction, and every such transaction its fill',
    violations: Prisma.sql`
      SELECT format('fill %s, transaction %s', f.id, t.id) AS violation
      FROM fill f FULL JOIN (SELECT * FROM ledger_transaction WHERE kind = 'fill') t ON t.reference_id = f.id
      WHERE f.id IS NULL OR t.id IS NULL`,
  },
  {
    name: 'every position is the sum of its fills, and not negative',
    violations: Prisma.sql`
      SELECT format('%s %s of account %s: position %s, fills %s', symbol, position_type, account_id,
        COALESCE(p.quantity, 0), COALESCE(h.quantity, 0)) AS violation
      FROM position p FULL JOIN (${HELD}) h USING (account_id, symbol, position_type)
      WHERE COALESCE(p.quantity, 0) <> COALESCE(h.quantity, 0) OR p.quantity < 0`,
  },
  {
    name: "every order's filled quantity is the sum of its fills, all of it when it is filled",
    violations: Prisma.sql`
      SELECT format('order %s is %s: filled %s of %s, fills %s', o.id, o.status, o.filled_quantity, o.quantity,
        COALESCE(sum(f.quantity), 0)) AS violation
      FROM "order" o LEFT JOIN fill f ON f.order_id = o.id
      GROUP BY o.id
      HAVING o.filled_quantity <> COALESCE(sum(f.quantity), 0) OR o.filled_quantity > o.quantity
        OR (o.status = 'filled') <> (o.filled_quantity = o.quantity)`,
  },
  {
    name: 'no execution is counted twice',
    violations: Prisma.sql`
      SELECT format('execution %s is there %s times', execution_id, count(*)) AS violation
      FROM fill GROUP BY execution_id HAVING count(*) > 1`,
  },
  {
    name: 'no order left a final state',
    violations: Prisma.sql`
      SELECT format('order %s is %s', o.id, o.status) AS violation
      FROM "order" o
      WHERE (o.status = 'filled') <> (o.filled_at IS NOT NULL)
        OR (o.status = 'canceled') <> (o.canceled_at IS NOT NULL)
        OR (o.status = 'rejected' AND o.filled_quantity > 0)
        OR EXISTS (SELECT 1 FROM fill f WHERE f.order_id = o.id AND f.executed_at > o.canceled_at)`,
  },
  {
    name: 'every accepted order, and every wish to cancel an open one, is owed its job',
    violations: Prisma.sql`
      SELECT format('order %s is %s and owed nothing', o.id, o.status) AS violation
      FROM "order" o
      WHERE (o.status = 'accepted' AND NOT ${owes(Prisma.sql`'execute-trade'`, Prisma.sql`o.id`)})
        OR (o.status IN ('submitted', 'partially_filled', 'unknown') AND o.cancel_requested_at IS NOT NULL
          AND NOT ${owes(Prisma.sql`'cancel-trade'`, Prisma.sql`o.id`)}
          AND NOT (o.broker <> 'paper' AND ${owes(Prisma.sql`'reconcile-trade'`, Prisma.sql`o.id`)}))`,
  },
  {
    name: 'every order that a broker outside has, or may have, is owed its execute-trade or one reconcile-trade',
    violations: Prisma.sql`
      SELECT format('order %s is %s at %s: %s reconcile-trade, %s execute-trade', o.id, o.status, o.broker,
        debts.reconciling, debts.executing) AS violation
      FROM "order" o
      CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE job.name = 'reconcile-trade') AS reconciling,
          count(*) FILTER (WHERE job.name = 'execute-trade') AS executing
        FROM job WHERE job.subject_id = o.id
      ) debts
      WHERE o.broker <> 'paper' AND o.status IN ('accepted', 'submitted', 'partially_filled', 'unknown')
        AND (CASE o.status WHEN 'accepted' THEN debts.executing ELSE debts.reconciling END) <> 1`,
  },
  {
    name: 'every queued mail is owed its job',
    violations: Prisma.sql`
      SELECT format('mail %s is queued and owed nothing', e.id) AS violation
      FROM email e
      WHERE e.status = 'queued' AND NOT ${owes(Prisma.sql`'send-email'`, Prisma.sql`e.id`)}`,
  },
  {
    name: 'every password that somebody forgot is owed its job',
    violations: Prisma.sql`
      SELECT format('request %s is owed nothing', r.id) AS violation
      FROM password_reset_request r
      WHERE NOT ${owes(Prisma.sql`'request-password-reset'`, Prisma.sql`r.id`)}`,
  },
  {
    name: 'every task that is to be reminded of is owed its reminder',
    violations: Prisma.sql`
      SELECT format('task %s is due and owed nothing', t.id) AS violation
      FROM task t
      WHERE t.due_at IS NOT NULL AND t.status <> 'DONE' AND t.reminded_at IS NULL
        AND NOT ${owes(Prisma.sql`'remind-task'`, Prisma.sql`t.id`)}`,
  },
  ...DEPOSIT_INVARIANTS,
  ...MAIL_INVARIANTS,
  ...WEBHOOK_INVARIANTS,
];

export interface InvariantResult {
  name: string;
  /** What breaks it; empty when it holds. */
  violations: string[];
}

/** More of them tell nobody more. */
const SHOWN = 20;

/** Holds the database against what must be true at every moment, in one snapshot, while it is in use. */
export async function checkInvariants(db: Database): Promise<InvariantResult[]> {
  return db.$transaction(
    async (tx) => {
      const results: InvariantResult[] = [];
      for (const { name, violations } of INVARIANTS) {
        const rows = await tx.$queryRaw<{ violation: string }[]>`${violations} LIMIT ${SHOWN}`;
        results.push({ name, violations: rows.map(({ violation }) => violation) });
      }
      return results;
    },
    { isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead, timeout: 300_000 },
  );
}
