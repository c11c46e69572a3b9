import { invalidInput } from '../input/invalid-input.ts';
import { isCommonPassword } from './common-passwords.ts';

/** Whose password it is to be. */
export interface PasswordOwner {
  email: string;
  name: string;
}

/**
 * Refuses a new password that is easy to guess: one of the most common, or the owner's e-mail, its local part, his
 * name or ours, each alone or with digits around. Nothing is asked of its composition (NIST SP 800-63B, 3.1.1.2).
 *
 * @throws what `invalidInput` makes, about `/password`
 */
export function assertGoodPassword(password: string, { email, name }: PasswordOwner): void {
  const candidate = password.normalize('NFKC');
  if (isCommonPassword(candidate)) throw tooCommon('is one of the most common passwords');
  const words = [email, email.split('@')[0] ?? '', name, 'gatehouse'].flatMap(spellings);
  if (spellings(candidate).some((spelling) => words.includes(spelling))) {
    throw tooCommon('is made of the name, the e-mail or the name of this service');
  }
}

/** A word without case and white space, and the same without digits around. */
function spellings(text: string): string[] {
  const whole = text.normalize('NFKC').toLowerCase().replace(/\s+/g, '');
  return [whole, whole.replace(/^\d+|\d+$/g, '')].filter((spelling) => spelling !== '');
}

const tooCommon = (message: string) => invalidInput('/password', 'password_too_common', message);
