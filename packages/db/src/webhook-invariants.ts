import { Prisma } from './generated/client.ts';
import { type Invariant, owes } from './invariant.ts';

/** `listensTo` of @gatehouse/domain/event-filter. */
const LISTENS = Prisma.sql`
  s.event_types && ARRAY['*', e.type, split_part(e.type, '.', 1) || '.*']`;

const IS_ENABLED = Prisma.sql`w.disabled_reason IS NULL AND w.deleted_at IS NULL`;

/** For how long a job may come after its time: what is due then is on the way, or its endpoint's pace keeps it. */
const SLACK = Prisma.sql`interval '5 seconds'`;

/** What is not published yet breaks none of them: the publisher comes by. */
export const WEBHOOK_INVARIANTS: readonly Invariant[] = [
  {
    name: 'the places in the event log follow one another, up to its end',
    violations: Prisma.sql`
      SELECT format('%s events with places from %s to %s, the end is %s', places.events, places.first, places.last,
        log.last_seq) AS violation
      FROM event_log log CROSS JOIN (SELECT count(seq) AS events, min(seq) AS first, max(seq) AS last FROM event) places
      WHERE places.events > 0 AND (places.events <> places.last - places.first + 1 OR places.last <> log.last_seq)`,
  },
  {
    name: 'every endpoint that is enabled listens to its event types, and no other listens to anything',
    violations: Prisma.sql`
      SELECT format('endpoint %s is %s and listens to %s', w.id,
        CASE WHEN ${IS_ENABLED} THEN 'enabled' ELSE 'disabled' END, COALESCE(s.event_types::text, 'nothing')) AS violation
      FROM webhook_endpoint w LEFT JOIN webhook_subscription s ON s.endpoint_id = w.id AND s.until_seq IS NULL
      WHERE s.event_types IS DISTINCT FROM CASE WHEN ${IS_ENABLED} THEN w.event_types END`,
  },
  {
    name: 'every event is delivered, or owed, to every endpoint that listened then',
    violations: Prisma.sql`
      SELECT format('event %s (%s) at place %s never went to endpoint %s', e.id, e.type, e.seq, w.id) AS violation
      FROM webhook_subscription s JOIN webhook_endpoint w ON w.id = s.endpoint_id
      JOIN event e ON e.account_id = w.account_id AND e.seq > s.after_seq AND (s.until_seq IS NULL OR e.seq <= s.until_seq)
      WHERE e.only_endpoint_id IS NULL AND ${LISTENS}
        AND NOT EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.event_id = e.id AND d.endpoint_id = w.id)`,
  },
  {
    name: 'every test event is delivered, or owed, to its endpoint',
    violations: Prisma.sql`
      SELECT format('test %s never went to endpoint %s', e.id, e.only_endpoint_id) AS violation
      FROM event e
      WHERE e.only_endpoint_id IS NOT NULL AND e.seq IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM webhook_delivery d WHERE d.event_id = e.id AND d.endpoint_id = e.only_endpoint_id)`,
  },
  {
    name: "every delivery is of a published event of its endpoint's account, and of no other endpoint's test",
    violations: Prisma.sql`
      SELECT format('delivery %s', d.id) AS violation
      FROM webhook_delivery d JOIN event e ON e.id = d.event_id JOIN webhook_endpoint w ON w.id = d.endpoint_id
      WHERE e.seq IS NULL OR e.account_id <> w.account_id OR d.account_id <> w.account_id
        OR e.only_endpoint_id <> w.id`,
  },
  {
    name: 'every delivery that succeeded has an attempt that did',
    violations: Prisma.sql`
      SELECT format('delivery %s', d.id) AS violation
      FROM webhook_delivery d
      WHERE d.status = 'succeeded' AND NOT EXISTS (
        SELECT 1 FROM webhook_attempt a WHERE a.delivery_id = d.id AND a.error IS NULL)`,
  },
  {
    name: 'the deliveries of every endpoint have numbers of their own, up to its last',
    violations: Prisma.sql`
      SELECT format('endpoint %s has %s deliveries with %s numbers up to %s, its last is %s', w.id, count(*),
        count(DISTINCT d.sequence), max(d.sequence), w.last_sequence) AS violation
      FROM webhook_endpoint w JOIN webhook_delivery d ON d.endpoint_id = w.id
      GROUP BY w.id HAVING count(*) <> count(DISTINCT d.sequence) OR max(d.sequence) > w.last_sequence`,
  },
  {
    // A dead job, and one that failed or was put off, is no breach: it is owed, and `npm run jobs` has it.
    name: 'every pending delivery of an endpoint that is enabled or deleted is owed its job, in time unless that fails or is dead',
    violations: Prisma.sql`
      SELECT format('endpoint %s has deliveries due at %s and its job is due at %s', w.id, due.at,
        COALESCE(job.run_at::text, 'no time')) AS violation
      FROM webhook_endpoint w
      CROSS JOIN LATERAL (
        SELECT CASE WHEN w.ordered THEN (array_agg(d.next_attempt_at ORDER BY d.sequence))[1] ELSE min(d.next_attempt_at) END AS at
        FROM webhook_delivery d WHERE d.endpoint_id = w.id AND d.status = 'pending'
      ) due
      LEFT JOIN job ON job.name = 'deliver-webhooks' AND job.subject_id = w.id
      WHERE due.at IS NOT NULL AND (w.deleted_at IS NOT NULL OR w.disabled_reason IS NULL) AND (job.id IS NULL
        OR (job.state = 'waiting' AND job.attempts = 0 AND job.last_error IS NULL
          AND job.run_at > GREATEST(due.at, w.paused_until, now()) + ${SLACK}))`,
  },
  {
    name: 'every replay that is running is owed its job',
    violations: Prisma.sql`
      SELECT format('replay %s is owed nothing', r.id) AS violation
      FROM webhook_replay r
      WHERE r.status = 'running' AND NOT ${owes(Prisma.sql`'replay-webhooks'`, Prisma.sql`r.id`)}`,
  },
];
