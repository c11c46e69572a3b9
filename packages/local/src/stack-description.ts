import { type App, apiUrl, type Surroundings } from './apps.ts';
import type { StartConfig } from './config.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { Stack } from './stack-file.ts';
import { stripeSigningSecret } from './stripe.ts';
import type { Supervised } from './supervisor.ts';

/** What `stack.json` is to say at this moment. */
export function describeStack(parts: {
  config: StartConfig;
  around: Surroundings;
  infrastructure: Infrastructure;
  apis: Supervised<App>[];
  workers: Supervised<App>[];
  demo: Stack['demo'];
}): Stack {
  const { config, around, infrastructure, workers, demo } = parts;
  const apis = parts.apis.map(({ current }) => current);
  const [first] = apis;
  if (!first) throw new TypeError('a stack has at least one API');
  const apiUrls = config.ports.map((port) => apiUrl(config, port));
  const url = apiUrl(config, config.ports[0] ?? 0);
  const stripe = infrastructure.stripe?.current;
  return {
    apiUrl: url,
    apiUrls,
    adminUrl: `${url}/admin/queues`,
    docsUrl: `${url}/docs`,
    mailUrl: infrastructure.mail?.current.mailUrl ?? null,
    metricsUrl: `${first.internalUrl}/metrics`,
    workerUrls: workers.map(({ current }) => current.internalUrl),
    databaseUrl: around.databaseUrl,
    redisUrl: around.redisUrl,
    pid: process.pid,
    apiPid: first.pid,
    apiPids: apis.map(({ pid }) => pid),
    workerPids: workers.map(({ current }) => current.pid),
    postgresPid: infrastructure.postgres?.current.pid ?? null,
    redisPid: infrastructure.redis?.current.pid ?? null,
    mailPid: infrastructure.mail?.current.pid ?? null,
    stripePid: stripe?.pid ?? null,
    demo,
    stripe: {
      webhookSecret: stripeSigningSecret(around.stripe.webhookSecrets),
      apiUrl: around.stripe.apiUrl,
      pageUrl: stripe?.url ?? null,
    },
  };
}
