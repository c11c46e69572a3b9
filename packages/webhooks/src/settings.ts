import Type, { type Static } from 'typebox';

/** Settings of everything that reaches out to webhook endpoints, for an application's schema to include. */
export const webhookSettings = {
  // Comma separated, each of 32 characters or more.
  WEBHOOK_SECRET_KEYS: Type.String({
    pattern: '^\\s*[^,\\s][^,]{30,}[^,\\s]\\s*(,\\s*[^,\\s][^,]{30,}[^,\\s]\\s*)*$',
  }),
  WEBHOOK_ALLOW_PRIVATE: Type.Boolean({ default: false }),
  WEBHOOK_ALLOW_HTTP: Type.Boolean({ default: false }),
};

const schema = Type.Object(webhookSettings);
export type WebhookSettings = Static<typeof schema>;

/** The keys that secrets of endpoints are encrypted under: new ones under the first; what is under the others opens. */
export function webhookSecretKeys({
  WEBHOOK_SECRET_KEYS,
}: Pick<WebhookSettings, 'WEBHOOK_SECRET_KEYS'>): [string, ...string[]] {
  const [first = '', ...others] = WEBHOOK_SECRET_KEYS.split(',').map((key) => key.trim());
  return [first, ...others];
}
