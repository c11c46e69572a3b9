import { Prisma } from './generated/client.ts';
import { type Invariant, owes } from './invariant.ts';

/**
 * What must have been posted for each deposit: `owedMovements` of the domain once more, from the rows. Cents as bigint:
 * the sum of two amounts may be more than an integer takes.
 */
const DUE = Prisma.sql`
  SELECT deposit.id AS deposit_id, part.kind, '' AS dispute_id, part.amount
  FROM deposit
  CROSS JOIN LATERAL (
    SELECT LEAST(refunded_amount, received_amount::bigint + failed_refund_amount) AS amount
  ) refunded
  CROSS JOIN LATERAL (VALUES
    ('deposit'::ledger_kind, received_amount::bigint),
    ('refund', refunded.amount),
    ('refund_reversal', LEAST(failed_refund_amount, refunded.amount))
  ) part (kind, amount)
  WHERE received_amount > 0
  UNION ALL
  SELECT deposit.id, part.kind, dispute.id, part.amount
  FROM deposit JOIN deposit_dispute dispute ON dispute.deposit_id = deposit.id
  CROSS JOIN LATERAL (VALUES
    ('dispute'::ledger_kind, dispute.amount::bigint),
    ('dispute_reversal', CASE dispute.status WHEN 'won' THEN dispute.amount ELSE 0 END)
  ) part (kind, amount)
  WHERE received_amount > 0`;

export const DEPOSIT_INVARIANTS: readonly Invariant[] = [
  {
    name: 'what every account owes is the sum of its payable entries, and not negative',
    violations: Prisma.sql`
      SELECT format('account %s owes %s, its entries %s', a.id, a.owed, COALESCE(-sum(e.amount), 0)) AS violation
      FROM account a LEFT JOIN ledger_entry e ON e.account_id = a.id AND e.ledger = 'payable'
      GROUP BY a.id HAVING a.owed <> COALESCE(-sum(e.amount), 0) OR a.owed < 0`,
  },
  {
    name: 'every movement of a deposit has one ledger transaction of its amount in its account, and every such transaction its movement',
    violations: Prisma.sql`
      SELECT format('movement %s: %s of %s; transaction %s: %s of %s', m.id, m.kind, m.equity, t.id, t.kind,
        t.equity) AS violation
      FROM (
        SELECT movement.id, movement.kind, deposit.account_id,
          (CASE WHEN kind IN ('refund', 'dispute') THEN movement.amount ELSE -movement.amount END) / 100.0 AS equity
        FROM deposit_movement movement JOIN deposit ON deposit.id = movement.deposit_id
      ) m
      FULL JOIN (
        SELECT id, kind, account_id, reference_id, (
          SELECT sum(amount) FROM ledger_entry WHERE transaction_id = ledger_transaction.id AND ledger = 'equity'
        ) AS equity
        FROM ledger_transaction WHERE kind NOT IN ('paper_grant', 'fill')
      ) t ON t.reference_id = m.id
      WHERE (m.kind, m.account_id, m.equity) IS DISTINCT FROM (t.kind, t.account_id, t.equity)`,
  },
  {
    name: 'what was posted for every deposit is what is known of it',
    violations: Prisma.sql`
      SELECT format('deposit %s: %s %s of %s are posted, %s are due', deposit_id, kind, dispute_id,
        COALESCE(posted.amount, 0), COALESCE(due.amount, 0)) AS violation
      FROM (${DUE}) due
      FULL JOIN (
        SELECT deposit_id, kind, COALESCE(dispute_id, '') AS dispute_id, sum(amount) AS amount
        FROM deposit_movement GROUP BY 1, 2, 3
      ) posted USING (deposit_id, kind, dispute_id)
      WHERE COALESCE(posted.amount, 0) <> COALESCE(due.amount, 0)`,
  },
  {
    name: 'every key that a deposit was begun under leads to it',
    violations: Prisma.sql`
      SELECT format('key %s of account %s leads to deposit %s', r.key, r.account_id, r.recovery_point) AS violation
      FROM idempotency_record r
      WHERE r.recovery_point IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM deposit d WHERE d.id = r.recovery_point AND d.account_id = r.account_id)`,
  },
  {
    name: 'every deposit that is being made is owed its job',
    violations: Prisma.sql`
      SELECT format('deposit %s is being made and owed nothing', d.id) AS violation
      FROM deposit d
      WHERE d.status = 'creating' AND NOT ${owes(Prisma.sql`'finish-deposit'`, Prisma.sql`d.id`)}`,
  },
  {
    name: 'every event of Stripe that was received is owed its job',
    violations: Prisma.sql`
      SELECT format('event %s (%s) is received and owed nothing', e.id, e.event_id) AS violation
      FROM stripe_event e
      WHERE e.status = 'received' AND NOT ${owes(Prisma.sql`'process-stripe-event'`, Prisma.sql`e.id`)}`,
  },
];
