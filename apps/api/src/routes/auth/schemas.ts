import Type from 'typebox';
import { Body, Id, Text, Timestamp } from '../../schemas.ts';

const Email = Type.String({
  format: 'email',
  maxLength: 254,
  pattern: '^[\\x21-\\x7e]+$',
  examples: ['ada@example.com'],
});

/** NIST SP 800-63B: length is what counts; any character is good. */
const Password = Type.String({ minLength: 8, maxLength: 128 });

export const Registration = Body({ email: Email, password: Password, name: Text(1, 200) });

export const Login = Body({
  email: Type.String({ maxLength: 254, pattern: '^[^\\u0000]*$' }),
  password: Type.String({ maxLength: 128 }),
});

export const Session = Type.Object({
  user: Type.Object({
    id: Id,
    accountId: Id,
    email: Type.String(),
    name: Type.String(),
    role: Type.Enum(['user', 'operator', 'admin']),
    createdAt: Timestamp,
  }),
  accessToken: Type.String(),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds' }),
});

/** A browser has it in its cookie; any other client may put it here. */
export const RefreshTokenBody = Body({
  refreshToken: Type.Optional(Type.String({ maxLength: 128 })),
});
