import type { Transaction } from './client.ts';
import { DISPATCHED, type DispatchedJob, jobColumns, type NewJob } from './jobs.ts';

/**
 * Inserts jobs of which there is at most one for the row that it is about: where one is owed already, that one comes no
 * later than the new one would have. One that waits after a failure, was put off or is dead is left as it is: what made it
 * so is not helped by more work. With `revives` it begins anew instead, with all its attempts.
 *
 * Locks the job in either case: whoever settles it meanwhile waits, and then sees what this transaction has written.
 * Returns the jobs that the caller hands to Redis after the commit.
 */
export async function insertSingleJobs(
  tx: Transaction,
  jobs: readonly NewJob[],
  { revives = false }: { revives?: boolean } = {},
): Promise<DispatchedJob[]> {
  if (jobs.length === 0) return [];
  const c = jobColumns(jobs);
  // One that fails the condition at the end is locked all the same, and not returned.
  const rows = await tx.$queryRaw<(DispatchedJob & { isDispatched: boolean })[]>`
    INSERT INTO job (id, queue, name, subject_id, payload, state, run_at, priority, request_id, dispatched_at, is_single)
    SELECT id, queue, name, subject_id, payload, state,
      COALESCE(run_at, now()) + delay_ms * interval '1 millisecond', priority, request_id, clock_timestamp(), true
    FROM unnest(
      ${c.ids}::uuid[], ${c.queues}::text[], ${c.names}::text[], ${c.subjectIds}::uuid[], ${c.payloads}::jsonb[],
      ${c.states}::job_state[], ${c.runAts}::timestamptz[], ${c.delays}::float8[], ${c.priorities}::int[],
      ${c.requestIds}::text[]
    ) AS input (id, queue, name, subject_id, payload, state, run_at, delay_ms, priority, request_id)
    ORDER BY subject_id -- IN_LOCK_ORDER: they have one name, and so there is one for each subject
    ON CONFLICT (name, subject_id) WHERE is_single DO UPDATE SET
      run_at = CASE job.state WHEN 'dead' THEN EXCLUDED.run_at ELSE LEAST(job.run_at, EXCLUDED.run_at) END,
      state = EXCLUDED.state, attempts = 0,
      generation = job.generation + CASE WHEN EXCLUDED.state = 'dispatched' OR job.state = 'dead' THEN 1 ELSE 0 END,
      dispatched_at = clock_timestamp()
    WHERE job.state = 'dead' AND ${revives}
      OR job.state = 'waiting' AND (${revives} OR job.attempts = 0 AND job.last_error IS NULL)
        AND (EXCLUDED.state = 'dispatched' OR EXCLUDED.run_at < job.run_at)
    RETURNING ${DISPATCHED}, job.state = 'dispatched' AS "isDispatched"`;
  return rows.filter(({ isDispatched }) => isDispatched);
}
