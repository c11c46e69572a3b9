import { createDatabase } from '@gatehouse/db/client';
import { checkInvariants, type InvariantResult } from '@gatehouse/db/invariants';
import { findDispatchedJobs } from '@gatehouse/db/jobs';
import { producerConnection, warmUp } from '@gatehouse/jobs/connection';
import { findLost } from '@gatehouse/jobs/lost-jobs';
import { findTarget, type Target } from './target.ts';

/**
 * `npm run check:invariants`: proves on a live system what DESIGN promises of its data. Takes DATABASE_URL and
 * REDIS_URL, or those of the stack that `npm start` runs. Exits with 1 when something is broken.
 */

/** A hand-over takes milliseconds; the sweep has had the time to notice what was lost. */
const SETTLED_AFTER_MS = 20_000;
const PAGE = 1_000;

/** As long as its transaction may take: it reads whole tables. */
const SILENCE_MS = 300_000;

/** Open jobs that nobody would ever run: marked as dispatched, and unknown to Redis. */
async function checkDispatchedJobs({ databaseUrl, redisUrl }: Target): Promise<InvariantResult> {
  const db = createDatabase(databaseUrl);
  const redis = producerConnection(redisUrl, (error) => console.error(`Redis: ${error.message}`));
  try {
    await warmUp(redis, 5_000);
    const violations: string[] = [];
    for (let after = null; ; ) {
      const page = await findDispatchedJobs(db, {
        after,
        olderThanMs: SETTLED_AFTER_MS,
        limit: PAGE,
      });
      const lost = await findLost(redis, page);
      // Read again: what was settled while Redis was asked is not lost.
      const open = await db.job.findMany({
        where: { id: { in: lost.map(({ id }) => id) }, state: 'dispatched' },
      });
      violations.push(...open.map(({ id, name }) => `${name} ${id} is in nobody's hands`));
      after = page.at(-1) ?? null;
      if (page.length < PAGE) break;
    }
    return {
      name: 'every job row is waiting for its time, in Redis, running, or dead',
      violations,
    };
  } finally {
    redis.disconnect();
    await db.$disconnect();
  }
}

const urls = await findTarget();
const db = createDatabase(urls.databaseUrl, { silenceMs: SILENCE_MS });
const results = [...(await checkInvariants(db)), await checkDispatchedJobs(urls)];
await db.$disconnect();
for (const { name, violations } of results) {
  console.log(`${violations.length === 0 ? 'holds ' : 'BROKEN'}  ${name}`);
  for (const violation of violations) console.log(`        ${violation}`);
}
const broken = results.filter(({ violations }) => violations.length > 0).length;
console.log(
  broken === 0
    ? `all ${results.length} invariants hold`
    : `${broken} of ${results.length} invariants are broken`,
);
process.exit(broken === 0 ? 0 : 1);
