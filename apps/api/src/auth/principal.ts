import type { Role } from '@gatehouse/db/users';
import type { Scope } from './scopes.ts';

/** Who makes a request. */
export interface Principal {
  accountId: string;
  userId: string;
  /** As the database has it, and not as it was when the credential was made. */
  role: Role;
  /** How he showed it: a person's session may do what a key may not. */
  credential: 'session' | 'api_key';
  /** Of the session or the key. */
  credentialId: string;
  /** What the credential is restricted to; null when it is not. */
  scopes: ReadonlySet<Scope> | null;
}
