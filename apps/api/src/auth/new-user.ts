import { randomBytes } from 'node:crypto';
import type { NewUser, Role } from '@gatehouse/db/users';
import { decimal } from '@gatehouse/domain/decimal';
import type { Config } from '../config.ts';
import { hashPassword } from './passwords.ts';

export interface UserFields {
  email: string;
  name: string;
  /** Without one nobody logs in, until a mail lets him set it. */
  password?: string | undefined;
  role: Role;
}

/**
 * A user as he is stored, whoever makes him: with the hash of his password, and with paper cash to start with when the
 * broker is of paper. Takes the time of a hash: not inside a transaction.
 */
export async function newUser(
  { BROKER, PAPER_STARTING_CASH }: Config,
  { email, name, password, role }: UserFields,
): Promise<NewUser> {
  return {
    email: email.toLowerCase(),
    name,
    passwordHash: await hashPassword(password ?? randomBytes(32).toString('base64url')),
    role,
    startingCash: BROKER === 'paper' ? decimal(PAPER_STARTING_CASH) : null,
  };
}
