import Type from 'typebox';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from '../../auth/password-length.ts';
import { Email, User } from '../../auth/user-schema.ts';
import { Body, Text } from '../../schemas.ts';

/** NIST SP 800-63B: length is what counts. Any character is good, save NUL and what is half of one. */
export const NewPassword = Type.String({
  minLength: MIN_PASSWORD_LENGTH,
  maxLength: MAX_PASSWORD_LENGTH,
  pattern: '^[^\\u0000\\ud800-\\udfff]*$',
});

/** A password that is to be compared with another. */
const Password = Type.String({ maxLength: MAX_PASSWORD_LENGTH });

export const Registration = Body({ email: Email, password: NewPassword, name: Text(1, 200) });

export const Login = Body({
  email: Type.String({ maxLength: 254, pattern: '^[^\\u0000]*$' }),
  password: Password,
});

export const PasswordChange = Body({ currentPassword: Password, password: NewPassword });

export const PasswordForgotten = Body({ email: Email });

export const PasswordReset = Body({
  token: Type.String({ maxLength: 128, description: 'Of the link in the mail' }),
  password: NewPassword,
});

export const Session = Type.Object({
  user: User,
  accessToken: Type.String(),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds' }),
});

/** A browser has it in its cookie; any other client may put it here. */
export const RefreshTokenBody = Body({
  refreshToken: Type.Optional(Type.String({ maxLength: 128 })),
});
