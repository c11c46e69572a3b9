import { type Role, setUserRole } from '@gatehouse/db/users';
import type { Gateway } from './harness.ts';

type Call = Gateway['call'];

/** Somebody with an account of his own, who is signed in. */
export interface Person {
  userId: string;
  accountId: string;
  email: string;
  password: string;
  /** His access token. */
  token: string;
  /** A request of his. */
  call: Call;
  /** The same token at another gateway. */
  at(gateway: Pick<Gateway, 'call'>): Call;
  /** The same person in another session. */
  again(): Promise<Person>;
}

let count = 0;

export async function newPerson(gateway: Gateway, role: Role): Promise<Person> {
  count += 1;
  const login = { email: `person${count}@example.com`, password: 'correct horse' };
  await gateway.call('POST', '/v1/auth/register', { body: { ...login, name: 'Ada' } });
  await setUserRole(gateway.db, login.email, role);
  const session = async (): Promise<Person> => {
    const { status, body } = await gateway.call('POST', '/v1/auth/login', { body: login });
    if (status !== 200) throw new Error(`the login answered ${status}`);
    const { user, accessToken: token } = body;
    const at: Person['at'] = ({ call }) => bearer(call, token);
    const { id: userId, accountId } = user;
    return { ...login, userId, accountId, token, call: at(gateway), at, again: session };
  };
  return session();
}

/** Requests with this token, or this API key. */
export function bearer(call: Call, token: string): Call {
  return (method, path, { body, headers } = {}) =>
    call(method, path, { body, headers: { authorization: `Bearer ${token}`, ...headers } });
}
