import { createSecretBox } from '@gatehouse/domain/secret-box';
import { assertAllowedTarget } from '@gatehouse/webhooks/guard';
import { type WebhookSettings, webhookSecretKeys } from '@gatehouse/webhooks/settings';
import { newWebhookSecret } from '@gatehouse/webhooks/signing';
import fp from 'fastify-plugin';
import { UrlNotAllowed } from '../errors.ts';

/** What requests to an endpoint are signed with. */
export interface EndpointSecret {
  /** For its owner: shown once. */
  secret: string;
  /** To be stored. */
  sealed: Buffer<ArrayBuffer>;
}

declare module 'fastify' {
  interface FastifyInstance {
    webhooks: {
      newSecret(endpointId: string): EndpointSecret;
      /**
       * The URL as it is stored. May ask the DNS: not for a transaction.
       *
       * @throws {UrlNotAllowed} when webhooks are not sent to where it leads now
       */
      allowedUrl(url: string): Promise<string>;
    };
  }
}

/** What routes of webhook endpoints need of the settings. */
export default fp<WebhookSettings>(
  async (app, settings) => {
    const box = createSecretBox(webhookSecretKeys(settings));
    const rules = {
      allowPrivate: settings.WEBHOOK_ALLOW_PRIVATE,
      allowHttp: settings.WEBHOOK_ALLOW_HTTP,
    };
    app.decorate('webhooks', {
      newSecret: (endpointId) => {
        const secret = newWebhookSecret();
        return { secret, sealed: box.seal(secret, endpointId) };
      },
      allowedUrl: async (url) => {
        try {
          return (await assertAllowedTarget(url, rules)).href;
        } catch (error) {
          if (error instanceof Error && error.name === 'UrlNotAllowed') {
            throw new UrlNotAllowed(error.message);
          }
          throw error;
        }
      },
    });
  },
  { name: 'webhooks' },
);
