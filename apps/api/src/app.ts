import { join } from 'node:path';
import autoload from '@fastify/autoload';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { createQuoteSource } from '@gatehouse/market/quote-sources';
import fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { authSecrets, type Config, origins } from './config.ts';
import { createConnectionErrors } from './http/connection-errors.ts';
import { requestId } from './http/request-id.ts';
import { SECURITY_HEADERS } from './http/security-headers.ts';
import { BODY_LIMIT_BYTES, serverLimits } from './http/server-limits.ts';
import { trustedProxies } from './http/trusted-proxies.ts';
import { createValidatorCompiler } from './input/validation.ts';
import access from './plugins/access.ts';
import accessLog from './plugins/access-log.ts';
import apiKeys from './plugins/api-keys.ts';
import authentication from './plugins/authentication.ts';
import budgets from './plugins/budgets.ts';
import cookies from './plugins/cookies.ts';
import database from './plugins/database.ts';
import draining from './plugins/draining.ts';
import etag from './plugins/etag.ts';
import expectations from './plugins/expectations.ts';
import framing from './plugins/framing.ts';
import headers from './plugins/headers.ts';
import idempotency from './plugins/idempotency.ts';
import jobs from './plugins/jobs.ts';
import json from './plugins/json.ts';
import loadShedding from './plugins/load-shedding.ts';
import loginThrottle from './plugins/login-throttle.ts';
import openapi from './plugins/openapi.ts';
import orderGate from './plugins/order-gate.ts';
import payments from './plugins/payments.ts';
import problems, { createProblemHandler } from './plugins/problems.ts';
import quotes from './plugins/quotes.ts';
import rateLimit from './plugins/rate-limit.ts';
import redis from './plugins/redis.ts';
import sessions from './plugins/sessions.ts';
import stripeGate from './plugins/stripe-gate.ts';
import tokens from './plugins/tokens.ts';
import webhooks from './plugins/webhooks.ts';

/** The gateway, ready to listen. `close()` ends everything that it opened. */
export async function buildApp(
  config: Config,
  logger: FastifyServerOptions['logger'],
): Promise<FastifyInstance> {
  const publicUrl = config.PUBLIC_URL;
  const secrets = authSecrets(config);
  const proxies = trustedProxies(config.TRUST_PROXY);
  const connectionErrors = createConnectionErrors(publicUrl);
  const answerProblem = createProblemHandler(publicUrl);
  const app = fastify({
    logger: logger ?? false,
    ...serverLimits(config),
    genReqId: requestId,
    logController: new LogController({
      requestIdLogLabel: 'requestId',
      disableRequestLogging: true,
    }),
    trustProxy: proxies.length > 0 && proxies,
    forceCloseConnections: 'idle',
    // What still comes over a connection that is open is answered as well; the plugin `draining` then ends it.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) =>
      answerProblem(error, request, reply.headers(SECURITY_HEADERS)),
    clientErrorHandler: connectionErrors.onClientError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  connectionErrors.watch(app.server);
  app.setValidatorCompiler(createValidatorCompiler());
  app.removeContentTypeParser('text/plain');

  await app.register(problems, { publicUrl });
  await app.register(json);
  await app.register(headers, { corsOrigins: origins(config) });
  await app.register(framing);
  await app.register(draining);
  await app.register(loadShedding, {
    maxEventLoopDelayMs: config.MAX_EVENT_LOOP_DELAY_MS,
    maxRequestsInFlight: config.MAX_REQUESTS_IN_FLIGHT,
  });
  await app.register(database, {
    url: config.DATABASE_URL,
    connections: config.DATABASE_CONNECTIONS,
  });
  await app.register(redis, { url: config.REDIS_URL });
  await app.register(budgets);
  await app.register(jobs);
  await app.register(cookies, {
    secrets,
    publicUrl,
    lifetimeSeconds: config.SESSION_LIFETIME_SECONDS,
  });
  await app.register(sessions, {
    idleSeconds: config.SESSION_IDLE_SECONDS,
    lifetimeSeconds: config.SESSION_LIFETIME_SECONDS,
  });
  await app.register(tokens, {
    signingKeys: config.AUTH_SIGNING_KEYS,
    signingKeysFile: config.AUTH_SIGNING_KEYS_FILE,
  });
  await app.register(apiKeys, { secrets });
  await app.register(authentication);
  await app.register(loginThrottle, { isOn: config.LOGIN_THROTTLE, secrets });
  await app.register(accessLog);
  await app.register(rateLimit, {
    max: config.RATE_LIMIT_MAX,
    attemptsMax: config.RATE_LIMIT_AUTH_MAX,
    windowSeconds: config.RATE_LIMIT_WINDOW_SECONDS,
  });
  await app.register(access);
  await app.register(expectations, { bodyLimit: BODY_LIMIT_BYTES });
  await app.register(idempotency, { publicUrl, secrets });
  await app.register(orderGate);
  await app.register(payments, config);
  await app.register(stripeGate);
  await app.register(webhooks, config);
  await app.register(quotes, { source: createQuoteSource(config) });
  await app.register(etag);
  await app.register(openapi, { publicUrl });

  await app.register(autoload, {
    dir: join(import.meta.dirname, 'routes'),
    indexPattern: /^index\.ts$/,
    dirNameRoutePrefix: false,
    options: { config },
  });
  return app;
}
