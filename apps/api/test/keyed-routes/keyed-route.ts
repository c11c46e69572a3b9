import type { Database } from '@gatehouse/db/client';
import type { Person } from '../people.ts';

export interface Ask {
  path: string;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
}

export interface Kit {
  db: Database;
  person: Person;
}

/** A route that takes an idempotency key, and how to use it. */
export interface KeyedRoute {
  method: 'POST' | 'PATCH';
  /** As the route table spells it. */
  route: string;
  role: 'user' | 'admin';
  status: number;
  /** What one run of it writes, beside the record of its key. */
  effect: readonly string[];
  isRequired?: true;
  /** It commits before it has an answer, and its retry goes on from there: deposits-crash.test.ts. */
  hasRecoveryPoint?: true;
  hasLocation?: true;
  /** It asks for a state, not for a change: the same under another key finds nothing to do. */
  isState?: true;
  /** Two requests that are both good, and different, about things of the person's own. */
  prepare(kit: Kit): Promise<{ ask: Ask; other: Ask }>;
  /** The same request as `ask`, written in another way: defaults spelled out, numbers for decimals. */
  respell?: Record<string, unknown>;
  /** A request that a business rule refuses. */
  refused?: Ask & { status: number };
}

/** Two requests to one path, the second of which differs by `change`. */
export const bodies = (path: string, body: Ask['body'] & {}, change: object) => async () => ({
  ask: { path, body },
  other: { path, body: { ...body, ...change } },
});
