import { dictionary } from '@zxcvbn-ts/language-common';
import { MIN_PASSWORD_LENGTH } from './password-length.ts';

/** The most common passwords of leaks, in lower case; those that are too short to be taken are left out. */
const COMMON: ReadonlySet<string> = new Set(
  dictionary['passwords-common']
    .filter((password) => [...password].length >= MIN_PASSWORD_LENGTH)
    .map((password) => password.toLowerCase()),
);

/** Whether it is one of those that attackers try first, in whatever case. */
export function isCommonPassword(password: string): boolean {
  return COMMON.has(password.toLowerCase());
}
