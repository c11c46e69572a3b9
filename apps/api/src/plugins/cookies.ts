import cookie from '@fastify/cookie';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    /** Refresh tokens of browsers. No script sees them, and no other site sends them. */
    refreshCookie: {
      set(reply: FastifyReply, token: string): void;
      clear(reply: FastifyReply): void;
      read(request: FastifyRequest): string | undefined;
    };
    /** Whether cookies are for https only: when clients reach us by it. */
    hasSecureCookies: boolean;
  }
}

export interface CookiesOptions {
  /** The first signs cookies, all verify. */
  secrets: readonly string[];
  publicUrl: string;
  /** Seconds for which a browser keeps the refresh cookie. */
  lifetimeSeconds: number;
}

const REFRESH = 'refresh_token';

export default fp<CookiesOptions>(
  async (app, { secrets, publicUrl, lifetimeSeconds }) => {
    await app.register(cookie, { secret: [...secrets] });
    const secure = publicUrl.startsWith('https:');
    const options = { path: '/v1/auth', httpOnly: true, sameSite: 'strict', secure } as const;
    app.decorate('hasSecureCookies', secure);
    app.decorate('refreshCookie', {
      set: (reply, token) =>
        void reply.setCookie(REFRESH, token, { ...options, maxAge: lifetimeSeconds }),
      clear: (reply) => void reply.clearCookie(REFRESH, options),
      read: (request) => request.cookies[REFRESH],
    });
  },
  { name: 'cookies' },
);
