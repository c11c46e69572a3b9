import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fp from 'fastify-plugin';
import { PROBLEMS } from '../errors.ts';

export interface OpenApiOptions {
  publicUrl: string;
}

const TAGS = [
  { name: 'Orders', description: 'Accepted once, filled by a worker.' },
  { name: 'Account', description: 'Positions, cash and the ledger behind them.' },
  { name: 'Quotes', description: 'What the market asks and bids.' },
  { name: 'Tasks', description: 'Things to do, with a reminder when they are due.' },
  { name: 'Identity', description: 'Users, their sessions and API keys.' },
  {
    name: 'Jobs',
    description:
      'What is owed, and dead letters: for operators to read, for admins to redrive or cancel.',
  },
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

/** OpenAPI 3.1 at `/openapi.json`, Swagger UI at `/docs`. Written from the routes' own schemas. */
export default fp<OpenApiOptions>(
  async (app, { publicUrl }) => {
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as {
      version: string;
    };
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'Gatehouse', version, description: description() },
        servers: [{ url: publicUrl }],
        tags: TAGS,
        components: {
          securitySchemes: {
            bearer: {
              type: 'http',
              scheme: 'bearer',
              description: 'An access token or an API key.',
            },
          },
        },
      },
      transform: ({ schema, url, route }) => {
        const { access = 'public' } = route.config ?? {};
        return {
          url,
          schema: { ...schema, security: access === 'public' ? [] : [{ bearer: [] }] },
        };
      },
    });
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      theme: {
        title: 'Gatehouse API',
        css: [{ filename: 'gatehouse.css', content: '.swagger-ui .topbar { display: none }' }],
      },
    });
    app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  },
  { name: 'openapi' },
);
