import { html } from './html.ts';
import { detailLines, detailTable, layout } from './layout.ts';

export interface Notice {
  title: string;
  /** What happened. */
  lead: string;
  details: readonly (readonly [name: string, value: string])[];
  /** What follows from it, a paragraph each. */
  rest: readonly string[];
}

/** A mail that tells of one thing: what happened, its details and what follows. */
export function noticeText({ lead, details, rest }: Notice): string {
  return `${[lead, detailLines(details), ...rest].join('\n\n')}\n`;
}

/** The same as a page. */
export function noticePage({ title, lead, details, rest }: Notice): string {
  return layout({
    title,
    content: html`<p style="margin:0 0 16px">${lead}</p>
${detailTable(details)}
${rest.map((paragraph) => html`<p style="margin:16px 0 0">${paragraph}</p>`)}`,
  });
}
