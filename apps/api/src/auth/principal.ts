import type { Role } from '@gatehouse/db/users';
import type { Scope } from './scopes.ts';

/** Who makes a request. */
export interface Principal {
  accountId: string;
  userId: string;
  role: Role;
  /** How he showed it: a person's session may do what a key may not. */
  credential: 'access_token' | 'api_key';
  /** What the credential is restricted to; null when it is not. */
  scopes: ReadonlySet<Scope> | null;
}
