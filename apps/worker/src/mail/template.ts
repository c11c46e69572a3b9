import { type EmailCategory, emailCategory } from '@gatehouse/domain/email-category';
import type { Static, TObject, TString } from 'typebox';
import { Value } from 'typebox/value';

/** Strings only, formatted when the mail was caused: it can be rendered again alike. */
export type EmailData = TObject<Record<string, TString>>;

export interface EmailContent {
  subject: string;
  text: string;
  html: string;
}

/** What a mail may show that no row may hold: it is made anew each time that the mail is sent. */
export type SecretName = 'password-reset-link';

export interface Template<D extends EmailData = EmailData, S extends string = string> {
  /** Permanent: rows outlive deployments. */
  name: string;
  category: EmailCategory;
  /** All that it shows, secrets included. */
  data: D;
  /** The members of `data` that the mail's row does not have. */
  secrets?: Readonly<Record<S, SecretName>>;
  /** Data for previews and tests. */
  sample: Readonly<Record<string, string>>;
  /** @throws when the data does not fit the template's schema */
  render(data: unknown): EmailContent;
}

export interface TemplateParts<D extends EmailData, S extends string> {
  name: string;
  data: D;
  secrets?: Readonly<Record<S, SecretName>>;
  sample: Static<D> & Record<string, string>;
  subject: (data: Static<D>) => string;
  text: (data: Static<D>) => string;
  html: (data: Static<D>) => string;
}

export function defineTemplate<
  D extends EmailData,
  const S extends keyof Static<D> & string = never,
>(parts: TemplateParts<D, S>): Template<D, S> {
  return {
    name: parts.name,
    category: emailCategory(parts.name),
    data: parts.data,
    sample: parts.sample,
    ...(parts.secrets && { secrets: parts.secrets }),
    render(data) {
      const parsed = Value.Parse(parts.data, data);
      return {
        subject: toHeader(parts.subject(parsed)),
        text: parts.text(parsed),
        html: parts.html(parsed),
      };
    },
  };
}

/** Characters of a subject: a line of a header has 998 at most (RFC 5322), and one without spaces cannot be folded. */
const SUBJECT_LENGTH = 200;

/** A line break in a header would begin another header, and `=?` an encoded word (RFC 2047) that reads as another text. */
function toHeader(text: string): string {
  const line = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll('=?', '= ?')
    .trim();
  const characters = [...line];
  return characters.length <= SUBJECT_LENGTH
    ? line
    : `${characters.slice(0, SUBJECT_LENGTH - 1).join('')}…`;
}
