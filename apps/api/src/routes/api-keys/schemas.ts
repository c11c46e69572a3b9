import Type from 'typebox';
import { SCOPES } from '../../auth/scopes.ts';
import { Body, Id, Nullable, Text, Timestamp } from '../../schemas.ts';

export const NewApiKey = Body({
  name: Text(1, 100),
  scopes: Type.Optional(
    Type.Array(Type.Enum([...SCOPES]), {
      minItems: 1,
      maxItems: SCOPES.length,
      uniqueItems: true,
      description:
        '`events:read` shows what happens to orders, deposits, tasks and the account. `webhooks:manage` can be used to ' +
        'read all events: an endpoint may listen to everything.',
    }),
  ),
  expiresAt: Type.Optional(Type.String({ format: 'date-time', description: 'In the future' })),
});

export const ApiKeyRotation = Body({
  overlapSeconds: Type.Integer({
    minimum: 0,
    maximum: 604_800,
    default: 86_400,
    description: 'For so long does the secret of before work as well',
  }),
});

export const ApiKey = Type.Object({
  id: Id,
  name: Type.String(),
  prefix: Type.String(),
  lastFour: Type.String(),
  scopes: Type.Array(Type.String(), { description: "Empty: all of its owner's" }),
  expiresAt: Nullable(Timestamp),
  previousExpiresAt: Type.Union([Timestamp, Type.Null()], {
    description: 'Until when the secret before the last rotation works; null when it does not',
  }),
  lastUsedAt: Type.Union([Timestamp, Type.Null()], { description: 'To the minute' }),
  createdAt: Timestamp,
});

export const ApiKeyWithSecret = Type.Object({ ...ApiKey.properties, key: Type.String() });
