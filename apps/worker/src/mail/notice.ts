import type { Static } from 'typebox';
import { html } from './html.ts';
import { detailLines, detailTable, layout } from './layout.ts';
import { defineTemplate, type EmailData, type Template, type TemplateParts } from './template.ts';

export interface Notice {
  title: string;
  /** What happened. */
  lead: string;
  details: readonly (readonly [name: string, value: string])[];
  /** What follows from it, a paragraph each. */
  rest: readonly string[];
}

export interface NoticeParts<D extends EmailData>
  extends Pick<TemplateParts<D, never>, 'name' | 'data' | 'sample' | 'subject'> {
  notice: (data: Static<D>) => Notice;
}

/** A mail that tells of one thing: what happened, its details and what follows. */
export function defineNotice<D extends EmailData>({
  notice,
  ...parts
}: NoticeParts<D>): Template<D, never> {
  return defineTemplate<D>({
    ...parts,
    text: (data) => toText(notice(data)),
    html: (data) => toPage(notice(data)),
  });
}

function toText({ lead, details, rest }: Notice): string {
  return `${[lead, detailLines(details), ...rest].join('\n\n')}\n`;
}

function toPage({ title, lead, details, rest }: Notice): string {
  return layout({
    title,
    content: html`<p style="margin:0 0 16px">${lead}</p>
${detailTable(details)}${rest.map(
  (paragraph) => html`
<p style="margin:16px 0 0">${paragraph}</p>`,
)}`,
  });
}
