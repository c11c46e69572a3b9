import { ROLES } from '@gatehouse/domain/user-view';
import Type from 'typebox';
import { Email, User } from '../../auth/user-schema.ts';
import { Body, Nullable, pageQuery, Query, Text, Timestamp } from '../../schemas.ts';
import { NewPassword } from '../auth/schemas.ts';

const Name = Text(1, 200);
const Role = Type.Enum([...ROLES]);

/** A user as admins see him. */
export const ManagedUser = Type.Object({
  ...User.properties,
  deactivatedAt: Nullable(Timestamp),
});

export const UserQuery = Query({
  ...pageQuery,
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: '^[^\\u0000]*$',
      description: 'A part of the e-mail or the name, in any case',
    }),
  ),
  role: Type.Optional(Role),
});

export const CreatedUser = Body({
  email: Email,
  name: Name,
  password: Type.Optional(NewPassword),
  role: Type.Enum([...ROLES], { default: 'user' }),
});

export const OwnChange = Body({ name: Type.Optional(Name) }, { minProperties: 1 });

export const UserChange = Body(
  {
    name: Type.Optional(Name),
    email: Type.Optional(Email),
    role: Type.Optional(Role),
    active: Type.Optional(
      Type.Boolean({ description: 'Nobody acts as a user who is not: no session, no API key' }),
    ),
  },
  { minProperties: 1 },
);
