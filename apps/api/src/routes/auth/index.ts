import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { dummyHash, limitHashing } from '../../auth/passwords.ts';
import type { Config } from '../../config.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { passwordChange } from './password-change.ts';
import { passwordReset } from './password-reset.ts';
import { refresh } from './refresh.ts';
import { register } from './register.ts';
import { sessions } from './sessions.ts';

const plugin: FastifyPluginAsyncTypebox<{ config: Config }> = async (app, { config }) => {
  limitHashing(config.PASSWORD_HASHING_CONCURRENCY);
  await dummyHash();

  await app.register(register, { config });
  await app.register(login);
  await app.register(refresh, { config });
  await app.register(logout, { config });
  await app.register(sessions);
  await app.register(passwordChange);
  await app.register(passwordReset);
};

export default plugin;
