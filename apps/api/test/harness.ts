import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Database } from '@gatehouse/db/client';
import { newSigningKey } from '@gatehouse/domain/signing-key';
import { testDatabase } from '@gatehouse/testing/database';
import { testRedis } from '@gatehouse/testing/redis';
import type { FastifyInstance } from 'fastify';
import { afterAll, onTestFinished } from 'vitest';
import { buildApp } from '../src/app.ts';
import { type Config, readConfig } from '../src/config.ts';

export interface Client {
  accountId: string;
  token: string;
  /** A request of this client. An object is sent as JSON. */
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
}

export interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever an answer holds
  body: any;
}

export interface Gateway {
  url: string;
  app: FastifyInstance;
  db: Database;
  databaseUrl: string;
  redisUrl: string;
  config: Config;
  /** Another gateway on the same Postgres and Redis, unless `settings` say otherwise. */
  replica(settings?: Record<string, string>): Promise<Gateway>;
  /** A new user with his own account. */
  client(): Promise<Client>;
  /** A request without credentials. */
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
}

/** A request as it is, to any URL. An object is sent as JSON. */
export async function call(
  url: string,
  method: string,
  { body, headers = {} }: CallOptions,
): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    redirect: 'manual',
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : null,
  };
}

type CleanUp = () => Promise<void>;
type Finally = (cleanUp: CleanUp) => void;

const cleanUps: CleanUp[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

/** For what a file starts in its `beforeAll`: an `afterAll` that is called in there comes too late, and never runs. */
export const afterFile: Finally = (cleanUp) => {
  cleanUps.push(cleanUp);
};

/**
 * A gateway on a database and a Redis keyspace of its own, listening on a free port until the test ends, or the
 * file when `finally_` is `afterFile`.
 */
export async function startGateway(
  settings: Record<string, string> = {},
  finally_: Finally = onTestFinished,
): Promise<Gateway> {
  const database = await testDatabase();
  finally_(() => database.drop());
  const redis = await testRedis();
  finally_(() => redis.drop());
  return open(
    {
      PORT: '0',
      AUTH_SECRET: randomBytes(32).toString('hex'),
      AUTH_SIGNING_KEYS: newSigningKey(),
      WEBHOOK_SECRET_KEYS: randomBytes(32).toString('hex'),
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      LOG_LEVEL: 'silent',
      RATE_LIMIT_AUTH_MAX: '0',
      LOGIN_THROTTLE: 'false',
      // A machine that has much to do is late with everything.
      MAX_EVENT_LOOP_DELAY_MS: '0',
      ...settings,
    },
    database.db,
    finally_,
  );
}

async function open(
  settings: Record<string, string>,
  db: Database,
  finally_: Finally,
): Promise<Gateway> {
  const config = readConfig(settings);
  const app = await buildApp(config, { level: config.LOG_LEVEL });
  await app.listen({ host: '127.0.0.1', port: 0 });
  finally_(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  let users = 0;
  const anonymous: Gateway['call'] = (method, path, options = {}) =>
    call(url + path, method, options);
  return {
    url,
    app,
    db,
    config,
    databaseUrl: config.DATABASE_URL,
    redisUrl: config.REDIS_URL,
    replica: (changes = {}) => open({ ...settings, ...changes }, db, finally_),
    call: anonymous,
    async client() {
      users += 1;
      const { status, body } = await anonymous('POST', '/v1/auth/register', {
        body: {
          email: `user${users}-${port}@example.com`,
          password: 'correct horse',
          name: `User ${users}`,
        },
      });
      if (status !== 201) throw new Error(`registration answered ${status}`);
      return {
        accountId: body.user.accountId,
        token: body.accessToken,
        call: (method, path, { body: json, headers = {} } = {}) =>
          anonymous(method, path, {
            body: json,
            headers: { authorization: `Bearer ${body.accessToken}`, ...headers },
          }),
      };
    },
  };
}

/** A valid order; `changes` replace members. */
export function order(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { symbol: 'AAPL', side: 'buy', type: 'market', quantity: '3', ...changes };
}

let keys = 0;

/** A header with a fresh idempotency key. */
export function freshKey(): { 'idempotency-key': string } {
  keys += 1;
  return { 'idempotency-key': `key-${keys}-${randomBytes(4).toString('hex')}` };
}
