import { isRefusable } from '@gatehouse/domain/email-category';
import { html } from './html.ts';
import { findTemplate, TEMPLATES } from './templates.ts';

const STYLE = `body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: #111827; display: flex; min-height: 100vh }
nav { padding: 1rem; background: #f3f4f6; min-width: 15rem } nav a { display: block; padding: .2rem 0 }
main { flex: 1; padding: 1rem; min-width: 0 } iframe { width: 100%; height: 36rem; border: 1px solid #d1d5db }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .75rem; background: #f9fafb; border: 1px solid #e5e7eb }
small { color: #6b7280 }`;

/** Asks the server again and again; one that was started anew, with other templates, has another version. */
const script = (version: string): string => `setInterval(async () => {
  const answer = await fetch('/version').catch(() => null);
  if (answer !== null && (await answer.text()) !== ${JSON.stringify(version)}) location.reload();
}, 500);`;

/** A page with the list of templates, and one of them with its sample: headers, page and text. */
export function previewPage(name: string, version: string): string {
  const template = findTemplate(name);
  const { subject, text } = template.render(template.sample);
  const headers = [
    `Subject: ${subject}`,
    'Auto-Submitted: auto-generated',
    ...(isRefusable(template.category)
      ? ['List-Unsubscribe: <…/unsubscribe/…>', 'List-Unsubscribe-Post: List-Unsubscribe=One-Click']
      : []),
  ].join('\n');
  const links = TEMPLATES.map(
    (one) => html`<a href="/${one.name}">${one.name} <small>${one.category}</small></a>\n`,
  );
  const head = `<style>${STYLE}</style><script>${script(version)}</script>`;
  const body = html`<nav>${links}</nav>
<main>
<h1>${name}</h1>
<pre>${headers}</pre>
<iframe sandbox title="the page" src="/${name}/html"></iframe>
<pre>${text}</pre>
</main>`.markup;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mails</title>${head}</head><body>${body}</body></html>`;
}

/** The page of a template's sample, as it is mailed. */
export function previewHtml(name: string): string {
  const template = findTemplate(name);
  return template.render(template.sample).html;
}
