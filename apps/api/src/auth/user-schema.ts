import Type from 'typebox';
import { Id, Timestamp } from '../schemas.ts';

/** Handlers bring it to lower case: an address is the same however it is typed. */
export const Email = Type.String({
  format: 'email',
  maxLength: 254,
  pattern: '^[\\x21-\\x7e]+$',
  examples: ['ada@example.com'],
});

export const ROLES = ['user', 'operator', 'admin'] as const;

/** A user as he himself sees him. */
export const User = Type.Object({
  id: Id,
  accountId: Id,
  email: Type.String(),
  name: Type.String(),
  role: Type.Enum([...ROLES]),
  createdAt: Timestamp,
});
