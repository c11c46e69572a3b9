import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * `prisma generate`, without the download of a native schema engine that it does not use: with this variable
 * set to any existing executable it looks no further.
 */
const { status } = spawnSync('prisma', ['generate', '--no-hints'], {
  cwd: join(import.meta.dirname, '..'),
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  },
});
process.exit(status ?? 1);
