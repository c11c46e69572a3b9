import { rmSync } from 'node:fs';
import { writePrivateFile } from './private-file.ts';

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
  stripePid: number | null;
  /** Without an entry whose account could not be used, as in a database that others have seeded. */
  demo: {
    user?: DemoAccount & { apiKey: string };
    admin?: DemoAccount;
    operator?: DemoAccount;
  };
  stripe: {
    /** What an event has to be signed with. */
    webhookSecret: string;
    apiUrl: string;
    /** Where the fake Stripe pays, refunds and disputes. */
    pageUrl: string | null;
  };
}

/** Replaces the file at once: a reader sees the old one or the new one, never a part. */
export function writeStackFile(file: string, stack: Stack): void {
  writePrivateFile(file, `${JSON.stringify(stack, null, 2)}\n`);
}

/** Deletes the file if it is there. */
export function removeStackFile(file: string): void {
  rmSync(file, { force: true });
}
