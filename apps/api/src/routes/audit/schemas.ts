import { AUDIT_ACTIONS, type AuditEntry } from '@gatehouse/db/audit';
import Type from 'typebox';
import { Id, Nullable, pageQuery, Query, Text, Timestamp } from '../../schemas.ts';

const CREDENTIALS = [
  'session',
  'api_key',
  'command_line',
  'none',
] as const satisfies AuditEntry['credential'][];

export const Entry = Type.Object({
  id: Id,
  at: Timestamp,
  // Text, and not one of AUDIT_ACTIONS: an entry outlives the version that knows its action.
  action: Type.String({ examples: ['user.role_changed'] }),
  actorId: Nullable(
    Type.String({ description: 'The user who acted; null when nobody knows, or on the server' }),
  ),
  credential: Type.Enum([...CREDENTIALS], { description: 'How he showed who he was' }),
  credentialId: Nullable(Type.String({ description: 'Of the session or the API key' })),
  subjectType: Type.String({ examples: ['user'] }),
  subjectId: Nullable(Type.String({ description: 'What he acted on' })),
  address: Nullable(Type.String()),
  userAgent: Nullable(Type.String()),
  requestId: Nullable(Type.String()),
  details: Type.Unsafe<AuditEntry['details']>({ type: 'object', additionalProperties: true }),
});

const Time = Type.String({ format: 'date-time' });

export const AuditQuery = Query({
  ...pageQuery,
  action: Type.Optional(Type.Enum([...AUDIT_ACTIONS])),
  actorId: Type.Optional(Id),
  subjectId: Type.Optional(Text(1, 200)),
  since: Type.Optional({ ...Time, description: 'Inclusive' }),
  until: Type.Optional({ ...Time, description: 'Exclusive' }),
});
