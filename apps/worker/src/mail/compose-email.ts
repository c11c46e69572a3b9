import type { NewEmail } from '@gatehouse/db/emails';
import { newId } from '@gatehouse/domain/id';
import type { Static } from 'typebox';
import type { EmailData, Template } from './template.ts';

export type OwedEmail = NewEmail;

export interface Composition<D extends EmailData> {
  accountId: string;
  recipient: string;
  data: Static<D>;
}

/** A mail of a template, as it is written down. */
export function composeEmail<D extends EmailData>(
  template: Template<D>,
  { accountId, recipient, data }: Composition<D>,
): OwedEmail {
  return { id: newId(), accountId, recipient, template: template.name, data };
}
