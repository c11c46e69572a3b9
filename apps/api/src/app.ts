import { join } from 'node:path';
import autoload from '@fastify/autoload';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { createQuoteSource } from '@gatehouse/market/quote-sources';
import fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { type Config, origins } from './config.ts';
import { createConnectionErrorHandler } from './connection-errors.ts';
import access from './plugins/access.ts';
import accessLog from './plugins/access-log.ts';
import authentication from './plugins/authentication.ts';
import cookies from './plugins/cookies.ts';
import database from './plugins/database.ts';
import draining from './plugins/draining.ts';
import etag from './plugins/etag.ts';
import headers from './plugins/headers.ts';
import idempotency from './plugins/idempotency.ts';
import jobs from './plugins/jobs.ts';
import json from './plugins/json.ts';
import openapi from './plugins/openapi.ts';
import orderGate from './plugins/order-gate.ts';
import problems, { createProblemHandler } from './plugins/problems.ts';
import quotes from './plugins/quotes.ts';
import rateLimit from './plugins/rate-limit.ts';
import redis from './plugins/redis.ts';
import sessions from './plugins/sessions.ts';
import { requestId } from './request-id.ts';
import { createValidatorCompiler } from './validation.ts';

const BODY_LIMIT_BYTES = 1024 * 1024;

/** The gateway, ready to listen. `close()` ends everything that it opened. */
export async function buildApp(
  config: Config,
  logger: FastifyServerOptions['logger'],
): Promise<FastifyInstance> {
  const publicUrl = config.PUBLIC_URL;
  const app = fastify({
    logger: logger ?? false,
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: requestId,
    logController: new LogController({
      requestIdLogLabel: 'requestId',
      disableRequestLogging: true,
    }),
    trustProxy: config.TRUST_PROXY === '' ? false : config.TRUST_PROXY,
    routerOptions: { caseSensitive: true },
    // A body cut off or a connection dripping its headers must not hold a socket for ever.
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    frameworkErrors: createProblemHandler(publicUrl),
    clientErrorHandler: createConnectionErrorHandler(publicUrl),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(createValidatorCompiler());
  app.removeContentTypeParser('text/plain');

  await app.register(problems, { publicUrl });
  await app.register(json);
  await app.register(headers, { corsOrigins: origins(config) });
  await app.register(draining);
  await app.register(database, {
    url: config.DATABASE_URL,
    connections: config.DATABASE_CONNECTIONS,
  });
  await app.register(redis, { url: config.REDIS_URL });
  await app.register(jobs);
  await app.register(cookies, {
    secret: config.AUTH_SECRET,
    publicUrl,
    lifetimeSeconds: config.SESSION_LIFETIME_SECONDS,
  });
  await app.register(sessions, {
    idleSeconds: config.SESSION_IDLE_SECONDS,
    lifetimeSeconds: config.SESSION_LIFETIME_SECONDS,
  });
  await app.register(authentication, {
    secret: config.AUTH_SECRET,
    signingKeys: config.AUTH_SIGNING_KEYS,
  });
  await app.register(accessLog);
  await app.register(rateLimit, {
    max: config.RATE_LIMIT_MAX,
    attemptsMax: config.RATE_LIMIT_AUTH_MAX,
    windowSeconds: config.RATE_LIMIT_WINDOW_SECONDS,
  });
  await app.register(access);
  await app.register(idempotency, { publicUrl, secret: config.AUTH_SECRET });
  await app.register(orderGate);
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
