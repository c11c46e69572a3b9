import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGuard } from '@gatehouse/local/guard';
import { enterableBase } from '@gatehouse/local/postgres-home';
import { serverAccount } from '@gatehouse/local/server-account';
import type { TestProject } from 'vitest/node';
import { startTestPostgres } from './postgres.ts';
import './provided.ts';
import { startTestRedis } from './redis.ts';

/**
 * Vitest's `globalSetup`: a Postgres with a migrated template and a Redis, for the length of a run.
 *
 * A guard ends them and deletes their files even when the run is killed.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(enterableBase(tmpdir(), serverAccount()), 'gatehouse-test-'));
  // The user that Postgres runs as has to pass through.
  chmodSync(dir, 0o755);
  const guard = await startGuard(join(dir, 'run.json'), [dir]);
  try {
    const [postgres, redis] = await Promise.all([
      startTestPostgres(dir, guard),
      startTestRedis(dir, guard),
    ]);
    project.provide('postgresUrl', postgres.url('postgres'));
    project.provide('redisUrl', redis.url);
    return async () => {
      await Promise.all([postgres.stop(), redis.stop()]);
      await guard.release();
    };
  } catch (error) {
    await guard.release();
    throw error;
  }
}
