import type { Static, TObject, TString } from 'typebox';
import { Value } from 'typebox/value';

/** Strings only, formatted when the mail was caused: it can be rendered again alike. */
export type EmailData = TObject<Record<string, TString>>;

export interface EmailContent {
  subject: string;
  text: string;
  html: string;
}

export interface Template<D extends EmailData = EmailData> {
  /** Permanent: rows outlive deployments. */
  name: string;
  data: D;
  /** @throws when the data does not fit the template's schema */
  render(data: unknown): EmailContent;
}

export interface TemplateParts<D extends EmailData> {
  name: string;
  data: D;
  subject: (data: Static<D>) => string;
  text: (data: Static<D>) => string;
  html: (data: Static<D>) => string;
}

export function defineTemplate<D extends EmailData>(parts: TemplateParts<D>): Template<D> {
  return {
    name: parts.name,
    data: parts.data,
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

/** A line break in a header would begin another header. */
function toHeader(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
