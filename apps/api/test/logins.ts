import { expect } from 'vitest';
import type { Gateway, Reply } from './harness.ts';

export const CREDENTIALS = { email: 'ada@example.com', password: 'correct horse' };
export const PERSON = { ...CREDENTIALS, name: 'Ada' };

export interface Login {
  accessToken: string;
  refreshToken: string;
  cookie: string;
}

/** What a registration, a login or a refresh gave. */
export function letIn({ status, headers, body }: Reply): Login {
  expect([200, 201]).toContain(status);
  const cookie = headers.getSetCookie().find((one) => one.startsWith('refresh_token=')) ?? '';
  const refreshToken = /^refresh_token=([^;]+)/.exec(cookie)?.[1] ?? '';
  return { accessToken: body.accessToken, refreshToken, cookie };
}

export const register = async (gateway: Gateway): Promise<Login> =>
  letIn(await gateway.call('POST', '/v1/auth/register', { body: PERSON }));

export const logIn = async (gateway: Gateway): Promise<Login> =>
  letIn(await gateway.call('POST', '/v1/auth/login', { body: CREDENTIALS }));

export const refresh = (gateway: Gateway, refreshToken: string): Promise<Reply> =>
  gateway.call('POST', '/v1/auth/refresh', { body: { refreshToken } });

/** Who uses an access token is let in, or not. */
export const statusOf = async (gateway: Gateway, { accessToken }: Pick<Login, 'accessToken'>) =>
  (await as(gateway, accessToken, 'GET', '/v1/account')).status;

export const as = (gateway: Gateway, token: string, method: string, path: string): Promise<Reply> =>
  gateway.call(method, path, { headers: { authorization: `Bearer ${token}` } });
