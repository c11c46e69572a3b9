import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { type Config, stripeWebhookSecrets } from '../../config.ts';
import { StripeEventInvalid, StripeSignatureInvalid } from '../../errors.ts';
import { SECURITY_HEADERS } from '../../http/security-headers.ts';
import { BODY_LIMIT_BYTES } from '../../http/server-limits.ts';
import { problems } from '../../schemas.ts';
import { createRefusalLog } from '../../webhooks/refusal-log.ts';
import { createRejects } from '../../webhooks/rejects.ts';
import { readEnvelope } from '../../webhooks/stripe-envelope.ts';
import { refusalOfHeaders, refusalOfSignature } from '../../webhooks/stripe-signature.ts';

/** Where Stripe delivers its events. A plugin of its own: its bodies are bytes, whatever they are called. */
const plugin: FastifyPluginAsyncTypebox<{ config: Config }> = async (app, { config }) => {
  const secrets = stripeWebhookSecrets(config);
  if (secrets.length === 0) {
    app.log.warn('STRIPE_WEBHOOK_SECRETS is empty: no event from Stripe is taken');
  }
  const rejects = createRejects(config.STRIPE_WEBHOOK_REJECTS_MAX);
  const refusals = createRefusalLog(app.log);
  app.addHook('onClose', async () => refusals.flush());

  /** @throws {StripeSignatureInvalid}, or {RateLimited} once too much of the sender was refused */
  const refuse = (refusal: string, request: FastifyRequest, reply: FastifyReply): never => {
    refusals.add(refusal);
    rejects.count(request, reply);
    throw new StripeSignatureInvalid(refusal);
  };

  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  app.post(
    '/webhooks/stripe',
    {
      config: { access: 'public' },
      bodyLimit: BODY_LIMIT_BYTES,
      // Helmet works its headers out anew for each request. These are for answers that hold nothing to load.
      helmet: false,
      onSend: (_request, reply, payload, done) => {
        reply.headers(SECURITY_HEADERS);
        done(null, payload);
      },
      onRequest: async (request, reply) => {
        if (rejects.isSpent(request)) {
          // Only what may be signed well is worth reading.
          const refusal = refusalOfHeaders(signaturesOf(request), Date.now());
          if (refusal !== null) refuse(refusal, request, reply);
        }
        // Fastify refuses some names that are no media type before anybody looks at the body.
        delete request.headers['content-type'];
      },
      schema: {
        tags: ['Deposits'],
        summary: 'Take an event from Stripe',
        description:
          'For Stripe, which signs what it sends (`Stripe-Signature`, over the bytes of the body, within 300 seconds). ' +
          'Answered once the event is stored with its job; the same event again is answered alike, and changes nothing. ' +
          'What is not signed well is refused, and counted against its address: 429 in place of 400 once that is too much.',
        headers: Type.Object({
          'stripe-signature': Type.String({
            description: 'The time and the signatures of the body, as Stripe makes them.',
            examples: ['t=1700000000,v1=5257a869e7…'],
          }),
        }),
        body: Type.Unsafe<unknown>({
          type: 'object',
          description: 'An event, snapshot or thin.',
          required: ['id', 'type'],
          properties: { id: { type: 'string' }, type: { type: 'string' } },
        }),
        response: { 200: Type.Object({ received: Type.Literal(true) }), ...problems(413) },
      },
      // The schemas are for readers of the API docs: what comes is bytes, and is verified before it is looked into.
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const body = bytesOf(request);
      const signed = { headers: signaturesOf(request), body };
      const refusal = refusalOfSignature(signed, { secrets, now: Date.now() });
      if (refusal !== null) return refuse(refusal, request, reply);
      const envelope = readEnvelope(body);
      if (envelope === null) {
        refusals.add('The body is signed well, and no event');
        throw new StripeEventInvalid();
      }
      await app.acceptStripeEvent(envelope, request.id);
      return { received: true } as const;
    },
  );
};

/** Fastify reads nothing of a request that announces no body. */
function bytesOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** Node makes one header of several; here each counts. */
function signaturesOf({ raw: { rawHeaders } }: FastifyRequest): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'stripe-signature',
  );
}

export default plugin;
