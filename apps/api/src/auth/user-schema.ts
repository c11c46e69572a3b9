import { UserSchema } from '@gatehouse/domain/user-view';
import Type from 'typebox';
import { Timestamp } from '../schemas.ts';

/** Handlers bring it to lower case: an address is the same however it is typed. */
export const Email = Type.String({
  format: 'email',
  maxLength: 254,
  pattern: '^[\\x21-\\x7e]+$',
  examples: ['ada@example.com'],
});

/** A user as he himself sees him. */
export const User = Type.Object({ ...UserSchema.properties, createdAt: Timestamp });
