import type { Database } from '@gatehouse/db/client';
import { until } from '@gatehouse/testing/condition';
import { afterFile, freshKey, type Gateway, type Reply, startGateway } from './harness.ts';
import type { Ask, KeyedRoute } from './keyed-routes/keyed-route.ts';
import { newPerson, type Person } from './people.ts';
import { startStripe } from './stripe.ts';

/** One run of a keyed route in the making. */
export interface Scene {
  ask: Ask;
  other: Ask;
  key: { 'idempotency-key': string };
  person: Person;
  /** Sends `ask`, or what is given, under the scene's key, or the headers that are given. */
  send(changes?: { ask?: Ask; method?: string; from?: Person; headers?: object }): Promise<Reply>;
  /** What has been written since the scene began, beside records of keys. */
  effects(): Promise<string[]>;
}

export interface World {
  gateway: Gateway;
  scene(route: KeyedRoute): Promise<Scene>;
  newPerson(role: KeyedRoute['role']): Promise<Person>;
  /** Runs `work` while no record of a key can be committed; reading them goes on. */
  holdingCommits<T>(work: (waiters: (count: number) => Promise<void>) => Promise<T>): Promise<T>;
}

/** One gateway for a file of tests, on a database that logs what is written. */
export async function startWorld(settings: Record<string, string> = {}): Promise<World> {
  const { settings: stripe } = await startStripe(afterFile);
  const given = { RATE_LIMIT_MAX: '0', ...stripe, ...settings };
  const gateway = await startGateway(given, afterFile);
  await logWrites(gateway.db);
  const people = {
    user: await newPerson(gateway, 'user'),
    admin: await newPerson(gateway, 'admin'),
  };
  return {
    gateway,
    newPerson: (role) => newPerson(gateway, role),
    async scene(route) {
      const person = people[route.role];
      const { ask, other } = await route.prepare({ db: gateway.db, person });
      const key = freshKey();
      const since = await lastWrite(gateway.db);
      return {
        ask,
        other,
        key,
        person,
        send: ({ ask: sent = ask, method = route.method, from = person, headers = key } = {}) =>
          from.call(method, sent.path, {
            ...(sent.body && { body: sent.body }),
            headers: { ...sent.headers, ...headers },
          }),
        effects: () => writesSince(gateway.db, since),
      };
    },
    holdingCommits: (work) =>
      gateway.db.$transaction(async (tx) => {
        await tx.$executeRaw`LOCK TABLE idempotency_record IN EXCLUSIVE MODE`;
        return work((count) => lockWaiters(gateway.db, count));
      }),
  };
}

/** Resolves once so many statements wait for a lock. Not inside a transaction, which would see one moment only. */
export async function lockWaiters(db: Database, count: number): Promise<void> {
  await until(
    async () => {
      const waiters = await db.$queryRaw<unknown[]>`
        SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return waiters.length === count;
    },
    { what: `${count} statements to wait for a lock` },
  );
}

/** Whether an answer is one of an attempt that ran, of a replay, or of an attempt that was refused. */
export function kindOf({ status, headers, body }: Reply): string {
  if (headers.get('idempotent-replayed') === 'true') return 'replayed';
  return status < 400 ? 'ran' : `${status} ${body?.code}`;
}

/**
 * Has the database write down every insert, update and delete that is committed.
 *
 * A job that only changes its state is one that could not be handed to Redis and waits: no effect of a request. Nor
 * is it one when an API key was used last, which is written some time after.
 */
async function logWrites(db: Database): Promise<void> {
  await db.$executeRaw`CREATE TABLE written (id bigserial, what text NOT NULL)`;
  await db.$executeRaw`
    CREATE FUNCTION log_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_TABLE_NAME = 'job' AND TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'state' = to_jsonb(NEW) - 'state' THEN
        RETURN NULL;
      END IF;
      IF TG_TABLE_NAME = 'api_key' AND TG_OP = 'UPDATE'
          AND to_jsonb(OLD) - 'last_used_at' = to_jsonb(NEW) - 'last_used_at' THEN
        RETURN NULL;
      END IF;
      INSERT INTO written (what) VALUES (TG_OP || ' ' || TG_TABLE_NAME);
      RETURN NULL;
    END $$`;
  await db.$executeRaw`
    DO $$
    DECLARE name text;
    BEGIN
      FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('written', 'idempotency_record')
      LOOP
        EXECUTE format('CREATE TRIGGER log_write AFTER INSERT OR UPDATE OR DELETE ON %I
          FOR EACH ROW EXECUTE FUNCTION log_write()', name);
      END LOOP;
    END $$`;
}

async function lastWrite(db: Database): Promise<bigint> {
  const [row] = await db.$queryRaw<{ id: bigint | null }[]>`SELECT max(id) AS id FROM written`;
  return row?.id ?? 0n;
}

async function writesSince(db: Database, since: bigint): Promise<string[]> {
  const rows = await db.$queryRaw<{ what: string }[]>`
    SELECT what FROM written WHERE id > ${since} ORDER BY what`;
  return rows.map(({ what }) => what);
}
