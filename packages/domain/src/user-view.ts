import Type, { type Static } from 'typebox';
import { Id, Time } from './shapes.ts';

export const ROLES = ['user', 'operator', 'admin'] as const;

/** A user as he himself sees him. */
export const UserSchema = Type.Object({
  id: Id,
  accountId: Id,
  email: Type.String(),
  name: Type.String(),
  role: Type.Enum([...ROLES]),
  createdAt: Time,
});

/** A user in the events of him. */
export const UserEventSchema = Type.Object({
  ...UserSchema.properties,
  active: Type.Boolean({ description: 'Nobody acts as a user who is not' }),
});

export type UserEventView = Static<typeof UserEventSchema>;

/** A user as far as his view goes. */
export interface ViewableUser extends Omit<UserEventView, 'createdAt' | 'active'> {
  readonly createdAt: Date;
  readonly deactivatedAt: Date | null;
}

/** A user as the events of him carry him. */
export function userEventView(user: ViewableUser): UserEventView {
  return {
    id: user.id,
    accountId: user.accountId,
    email: user.email,
    name: user.name,
    role: user.role,
    createdAt: user.createdAt.toISOString(),
    active: user.deactivatedAt === null,
  };
}
