import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as api from '../apps/api/src/config.ts';
import * as worker from '../apps/worker/src/config.ts';
import { composeFile, composeVariables, interpolate, type Service } from './compose-file.ts';
import { ROOT, readText, settingsOf, withEnvironment } from './repository.ts';

const SECRETS = {
  AUTH_SECRET: 's'.repeat(43),
  AUTH_SIGNING_KEYS: 'MC4CAQAwBQYDK2Vw',
  WEBHOOK_SECRET_KEYS: 'k'.repeat(43),
};
/** What the Dockerfile sets. */
const IMAGE = { HOST: '0.0.0.0' };

const { services, volumes } = composeFile(SECRETS);
const apps = { api, worker };
const entries = Object.entries(services);

function service(name: string, given: Record<string, string> = SECRETS): Service {
  const found = composeFile(given).services[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
}

const environment = (name: string, given?: Record<string, string>): Record<string, string> =>
  service(name, given).environment ?? {};

describe('the services', () => {
  it('are the applications, the migration and what they use', () => {
    expect(Object.keys(services).sort()).toEqual(
      ['api', 'mailpit', 'migrate', 'postgres', 'redis', 'worker'].sort(),
    );
  });

  it('are started from files that are there', () => {
    const built = entries.filter(([, { build }]) => build !== undefined);
    expect(built.map(([name]) => name).sort()).toEqual(['api', 'migrate', 'worker']);
    expect(new Set(built.map(([, { image, build }]) => `${image} ${build}`)).size).toBe(1);
    for (const [, { command }] of built) {
      const [node, file = '', ...rest] = command ?? [];
      expect([node, rest]).toEqual(['node', []]);
      expect(existsSync(join(ROOT, file)), file).toBe(true);
    }
  });

  it('wait for what they need, in a way that can come true', () => {
    const waits = entries.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
    for (const [name, { condition }] of waits) {
      const target = service(name);
      if (condition === 'service_healthy') expect(target.healthcheck, name).toBeDefined();
      else expect([condition, target.restart]).toEqual(['service_completed_successfully', 'no']);
    }
    expect(service('migrate').depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    for (const name of ['api', 'worker']) {
      expect(service(name).depends_on?.migrate?.condition).toBe('service_completed_successfully');
    }
  });

  it('all have a health check, save the one that ends', () => {
    const without = entries.filter(([, { healthcheck }]) => healthcheck === undefined);
    expect(without.map(([name]) => name)).toEqual(['migrate']);
  });

  it('keep their data in volumes that are declared', () => {
    const mounts = entries.flatMap(([, one]) => one.volumes ?? []);
    expect(mounts.map((mount) => mount.split(':')[0]).sort()).toEqual(Object.keys(volumes).sort());
    // The image of Postgres 18 declares this folder, and finds nothing that is mounted in the old place.
    expect(service('postgres')).toMatchObject({
      image: expect.stringMatching(/^postgres:18\b/),
      volumes: ['postgres:/var/lib/postgresql'],
    });
  });

  it('have a Redis that evicts nothing and writes everything down', () => {
    const [server, ...options] = service('redis').command ?? [];
    expect(server).toBe('redis-server');
    const pairs = options.flatMap((option, index) =>
      option.startsWith('--') ? [[option.slice(2), options[index + 1]]] : [],
    );
    expect(Object.fromEntries(pairs)).toEqual({
      'maxmemory-policy': 'noeviction',
      appendonly: 'yes',
      appendfsync: 'everysec',
    });
  });
});

describe.each(['api', 'worker'] as const)('the %s', (name) => {
  const { schema, readConfig } = apps[name];
  const settings = environment(name);

  it('is given settings that it knows, and all that it needs', () => {
    const unknown = Object.keys(settings).filter((key) => !(key in schema.properties));
    expect(unknown).toEqual([]);
    const needed = [...settingsOf(schema)].filter(([, fallback]) => fallback === null);
    expect(needed.filter(([key]) => !settings[key])).toEqual([]);
  });

  it('takes their values, and those that are empty as its defaults', () => {
    const fixed = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ''));
    const read = withEnvironment({ ...IMAGE, ...settings }, () => readConfig());
    expect(read).toEqual(withEnvironment({ ...IMAGE, ...fixed }, () => readConfig()));
    expect(read).toMatchObject({ HOST: '0.0.0.0', METRICS_PORT: 9464 });
  });

  it('finds the services that its URLs name', () => {
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = environment('postgres');
    const database = `postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD}@postgres:5432/${POSTGRES_DB}`;
    expect(settings).toMatchObject({ DATABASE_URL: database, REDIS_URL: 'redis://redis:6379' });
    expect(environment('migrate')).toEqual({ DATABASE_URL: database });
    const urls = Object.values(settings).flatMap((value) => URL.parse(value) ?? []);
    const hosts = urls.map(({ hostname }) => hostname).filter((host) => host !== '127.0.0.1');
    expect(Object.keys(services)).toEqual(expect.arrayContaining(hosts));
  });

  it('may take longer to be killed than to end by itself', () => {
    const grace = /^(\d+)s$/.exec(service(name).stop_grace_period ?? '')?.[1];
    expect(Number(grace)).toBeGreaterThan(Number(settings.SHUTDOWN_DEADLINE_SECONDS));
  });

  it('is asked for its health where it listens', async () => {
    const port = settings[name === 'api' ? 'PORT' : 'METRICS_PORT'];
    expect(service(name).healthcheck?.test.slice(0, 3)).toEqual(['CMD', 'node', '-e']);
    expect(service(name).healthcheck?.test.at(-1)).toContain(`http://127.0.0.1:${port}/ready`);
  });

  describe('health check', () => {
    let status = 200;
    let asked = '';
    const server = createServer((request, response) => {
      asked = request.url ?? '';
      response.writeHead(status).end();
    });
    const exitCode = (script: string) =>
      new Promise<number>((resolve) => {
        execFile(process.execPath, ['-e', script], (error) => resolve(Number(error?.code ?? 0)));
      });

    beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
    afterAll(() => server.close());

    it.each([
      [200, 0],
      [503, 1],
    ])('makes of status %i the exit code %i', async (answered, code) => {
      status = answered;
      asked = '';
      const { port } = server.address() as AddressInfo;
      const script = service(name).healthcheck?.test.at(-1) ?? '';
      expect(await exitCode(script.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`))).toBe(code);
      expect(asked).toBe('/ready');
    });

    it('fails when nobody listens', async () => {
      const script = service(name).healthcheck?.test.at(-1) ?? '';
      expect(await exitCode(script.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:9'))).toBe(1);
    });
  });
});

describe('scaling', () => {
  it('finds nothing in the worker that two of them cannot share', () => {
    const { ports, container_name, hostname } = service('worker');
    expect({ ports, container_name, hostname }).toEqual({});
  });

  it('leaves Postgres connections for four workers and two gateways', () => {
    const most = /max_connections=(\d+)/.exec(service('postgres').command?.join(' ') ?? '')?.[1];
    const perGateway = withEnvironment(environment('api'), () =>
      api.readConfig(),
    ).DATABASE_CONNECTIONS;
    // apps/worker takes a connection per job at once, some to spare, and never more than this.
    expect(Number(most)).toBeGreaterThan(4 * 24 + 2 * perGateway);
  });
});

describe('the variables', () => {
  it('must have AUTH_SECRET', () => {
    expect(() => composeFile({ ...SECRETS, AUTH_SECRET: '' })).toThrow('AUTH_SECRET');
  });

  it('must have signing keys, of which the gateway says at its start that they are missing', () => {
    const without = environment('api', { ...SECRETS, AUTH_SIGNING_KEYS: '' });
    expect(() => withEnvironment(without, () => api.readConfig())).toThrow(
      /AUTH_SIGNING_KEYS\b.*AUTH_SIGNING_KEYS_FILE/,
    );
  });

  it('that it does not start without are named in the README', () => {
    const [, needed = ''] =
      /docker compose up.*?\bIt needs (.*?);/s.exec(readText('README.md')) ?? [];
    const named = [...needed.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    const demanded = [...readText('docker-compose.yml').matchAll(/\$\{(\w+):\?/g)];
    const names = demanded.map(([, name]) => name);
    expect(names).toContain('AUTH_SECRET');
    // Compose cannot ask for this one, which may also be in a file.
    expect(named.sort()).toEqual([...new Set(names), 'AUTH_SIGNING_KEYS'].sort());
  });

  it('reach the applications under their own names', () => {
    const known = { ...api.schema.properties, ...worker.schema.properties };
    for (const name of composeVariables().filter((one) => one !== 'POSTGRES_PASSWORD')) {
      expect(known).toHaveProperty(name);
      const given = { ...SECRETS, [name]: 'given' };
      const seen = [service('api', given), service('worker', given)].flatMap((one) => [
        one.environment?.[name],
        ...(name === 'PORT' ? (one.ports ?? []) : []),
      ]);
      expect(
        seen.some((value) => value === 'given' || value === 'given:3000'),
        name,
      ).toBe(true);
    }
  });

  it('move the published port and the public URL together, and not the port inside', () => {
    const moved = service('api', { ...SECRETS, PORT: '8080' });
    expect(moved.ports).toEqual(['8080:3000']);
    expect(moved.environment).toMatchObject({ PORT: '3000', PUBLIC_URL: 'http://127.0.0.1:8080' });
  });

  it('are filled in as Compose does it', () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: Compose's own syntax
    const text = 'a ${X:-b ${Y:-c}} d ${Y}';
    expect(interpolate(text, {})).toBe('a b c d ');
    expect(interpolate(text, { Y: 'y' })).toBe('a b y d y');
    expect(interpolate(text, { X: 'x', Y: 'y' })).toBe('a x d y');
    expect(() => interpolate('${X:?why}', { X: '' })).toThrow('X is missing: why');
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: Compose's own syntax
  });
});
