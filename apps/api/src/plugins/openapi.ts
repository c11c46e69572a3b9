import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fp from 'fastify-plugin';
import { PROBLEMS } from '../errors.ts';
import { GUIDE_PATH, guidePage, readGuide } from '../openapi/receiver-guide.ts';
import { webhookOperations } from '../openapi/webhooks.ts';
import { REQUIRED } from '../schemas.ts';
import type { Access } from './authentication.ts';

export interface OpenApiOptions {
  publicUrl: string;
}

const TAGS = [
  { name: 'Orders', description: 'Accepted once, filled by a worker.' },
  { name: 'Account', description: 'Positions, cash and the ledger behind them.' },
  { name: 'Deposits', description: 'Money in, from Stripe, and what Stripe says of it.' },
  { name: 'Quotes', description: 'What the market asks and bids.' },
  { name: 'Tasks', description: 'Things to do, with a reminder when they are due.' },
  { name: 'Webhooks', description: 'Where events are sent, and what came of it.' },
  {
    name: 'Events',
    description: 'What happened, in its order; and what is told to webhook endpoints.',
  },
  { name: 'Mail', description: 'Mails to you: what became of them, and which you want.' },
  { name: 'Identity', description: 'Users, their sessions and API keys.' },
  {
    name: 'Jobs',
    description:
      'What is owed, and dead letters: for operators to read, for admins to redrive or cancel.',
  },
  { name: 'Audit', description: 'Who did what, when, and from where. For admins.' },
  { name: 'Operations', description: 'Health of this process.' },
];

function description(): string {
  const rows = [...PROBLEMS.values()].map(
    ({ code, status, title }) => `| <a id="${code}"></a>\`${code}\` | ${status} | ${title} |`,
  );
  return [
    'What is accepted happens exactly once. Send an `Idempotency-Key` with every mutation, and retry until you have an answer.',
    '',
    '## Problems',
    '',
    'Errors are `application/problem+json` (RFC 9457). `code` is stable:',
    '',
    '| code | status | meaning |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

/** What a route asks for. Scopes and roles are names in it, which OpenAPI 3.1 allows for any scheme. */
function securityOf(access: Access): Record<string, string[]>[] {
  switch (access) {
    case 'public':
      return [];
    case 'refresh':
      return [{ refresh: [] }];
    case 'session':
      return [{ bearer: [] }];
    default:
      return [{ bearer: [access] }];
  }
}

/** Headers of which those that are marked as required are required by the schema as well. */
function withRequired(headers: unknown): unknown {
  if (!isHeaders(headers)) return headers;
  const entries = Object.entries(headers.properties);
  const marked = entries.filter(([, schema]) => Object.hasOwn(schema, REQUIRED));
  if (marked.length === 0) return headers;
  const properties = entries.map(([name, { [REQUIRED]: _, ...schema }]) => [name, schema]);
  const required = [...(headers.required ?? []), ...marked.map(([name]) => name)];
  return { ...headers, properties: Object.fromEntries(properties), required };
}

/** Of an object: an intersection has other members. */
function isHeaders(
  headers: unknown,
): headers is { properties: Record<string, Record<string, unknown>>; required?: string[] } {
  return typeof headers === 'object' && headers !== null && 'properties' in headers;
}

/**
 * OpenAPI 3.1 at `/openapi.json`, Swagger UI at `/docs`: written from the routes' own schemas. And the guide for receivers
 * of webhooks beside it.
 */
export default fp<OpenApiOptions>(
  async (app, { publicUrl }) => {
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as {
      version: string;
    };
    const guide = await readGuide();
    const page = await guidePage(guide);
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'Gatehouse', version, description: description() },
        servers: [{ url: publicUrl }],
        tags: TAGS.map((tag) =>
          tag.name === 'Webhooks'
            ? {
                ...tag,
                description: `${tag.description} [The guide](${GUIDE_PATH}).\n\n${guide.verifying}`,
              }
            : tag,
        ),
        webhooks: webhookOperations(),
        components: {
          securitySchemes: {
            bearer: {
              type: 'http',
              scheme: 'bearer',
              description: 'An access token or an API key.',
            },
            refresh: {
              type: 'apiKey',
              in: 'cookie',
              name: 'refresh_token',
              description: 'A refresh token, here or in the body.',
            },
          },
        },
      },
      transform: ({ schema, url, route }) => {
        const { access = 'public' } = route.config ?? {};
        const headers = withRequired(schema?.headers);
        const security = securityOf(access);
        return { url, schema: { security, ...schema, ...(headers !== undefined && { headers }) } };
      },
    });
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      theme: {
        title: 'Gatehouse API',
        css: [{ filename: 'gatehouse.css', content: '.swagger-ui .topbar { display: none }' }],
      },
    });
    app.get(GUIDE_PATH, { schema: { hide: true } }, async (_request, reply) =>
      reply.type('text/html; charset=utf-8').send(page),
    );
    app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  },
  { name: 'openapi' },
);
