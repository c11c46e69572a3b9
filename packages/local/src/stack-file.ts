import { renameSync, rmSync, writeFileSync } from 'node:fs';

export interface DemoAccount {
  email: string;
  password: string;
}

/** What `.gatehouse/stack.json` says while the stack serves. Null is what is not embedded. */
export interface Stack {
  apiUrl: string;
  apiUrls: string[];
  adminUrl: string;
  docsUrl: string;
  mailUrl: string | null;
  metricsUrl: string;
  /** Internal: `/metrics`, `/health` and `/ready` of each worker. */
  workerUrls: string[];
  databaseUrl: string;
  redisUrl: string;
  pid: number;
  apiPid: number;
  apiPids: number[];
  workerPids: number[];
  postgresPid: number | null;
  redisPid: number | null;
  mailPid: number | null;
  /** Without an entry whose account could not be used, as in a database that others have seeded. */
  demo: {
    user?: DemoAccount & { apiKey: string };
    admin?: DemoAccount;
    operator?: DemoAccount;
  };
  stripe: { webhookSecret: string };
}

/** Replaces the file at once: a reader sees the old one or the new one, never a part. */
export function writeStackFile(file: string, stack: Stack): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/** Deletes the file if it is there. */
export function removeStackFile(file: string): void {
  rmSync(file, { force: true });
}
