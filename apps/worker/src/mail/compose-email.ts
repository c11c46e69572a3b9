import type { NewEmail } from '@gatehouse/db/emails';
import { newId } from '@gatehouse/domain/id';
import type { Static } from 'typebox';
import type { EmailData, Template } from './template.ts';

export type OwedEmail = NewEmail;

export interface Composition<D extends EmailData, S extends string> {
  accountId: string;
  recipient: string;
  /** Without the template's secrets. */
  data: Omit<Static<D>, S> & Record<string, string>;
}

/** A mail of a template, as it is written down. */
export function composeEmail<D extends EmailData, S extends string>(
  template: Template<D, S>,
  { accountId, recipient, data }: Composition<D, S>,
): OwedEmail {
  return { id: newId(), accountId, recipient, template: template.name, data };
}
