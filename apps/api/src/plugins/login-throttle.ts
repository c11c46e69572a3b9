import fp from 'fastify-plugin';
import { createDeviceTokens, DEVICE_SECONDS } from '../auth/device-tokens.ts';
import {
  createLoginThrottle,
  type LoginThrottle,
  noLoginThrottle,
} from '../throttle/login-throttle.ts';

/** Where passwords are given: a browser shows a device's cookie nowhere else. */
type LoginPath = '/v1/auth' | '/admin/login';

declare module 'fastify' {
  interface FastifyInstance {
    loginThrottle: LoginThrottle;
    /** Devices on which users have logged in. */
    devices: {
      /** The device of the user that a request comes from; null when it is none that he has logged in on. */
      idOf(request: FastifyRequest, userId: string): string | null;
      /** Has a browser be known as a device of the user, who has just shown that he is one. */
      remember(reply: FastifyReply, userId: string, path: LoginPath): void;
    };
  }
}

export interface LoginThrottleOptions {
  isOn: boolean;
  /** Sign the cookies of devices: the first does, all verify. */
  secrets: readonly [string, ...string[]];
}

const COOKIE = 'device';

export default fp<LoginThrottleOptions>(
  async (app, { isOn, secrets }) => {
    app.decorate('loginThrottle', isOn ? createLoginThrottle(app.budgets) : noLoginThrottle);

    const tokens = createDeviceTokens(secrets);
    app.decorate('devices', {
      idOf: ({ cookies }, userId) => tokens.deviceOf(cookies[COOKIE] ?? '', userId),
      remember: (reply, userId, path) =>
        void reply.setCookie(COOKIE, tokens.issue(userId), {
          path,
          httpOnly: true,
          sameSite: 'strict',
          secure: app.hasSecureCookies,
          maxAge: DEVICE_SECONDS,
        }),
    });
  },
  { name: 'login-throttle', dependencies: ['budgets', 'cookies'] },
);
