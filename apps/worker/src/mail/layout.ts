import { type Html, html } from './html.ts';

const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/** A whole mail around its content. Styles are inline and the frame is a table: mail programs drop the rest. */
export function layout({ title, content }: { title: string; content: Html }): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${title}</title>
</head>
<body style="margin:0;padding:0;background:#f3f4f6">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f4f6">
<tr><td align="center" style="padding:32px 16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border:1px solid #e5e7eb;border-radius:8px">
<tr><td style="padding:20px 32px;border-bottom:1px solid #e5e7eb;${FONT};font-size:14px;font-weight:600;letter-spacing:.04em;color:#1d4ed8">GATEHOUSE</td></tr>
<tr><td style="padding:28px 32px;${FONT};font-size:15px;line-height:1.6;color:#111827">
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3;font-weight:600">${title}</h1>
${content}
</td></tr>
</table>
<p style="margin:16px 0 0;${FONT};font-size:12px;color:#6b7280">You get this mail because of your Gatehouse account.</p>
</td></tr>
</table>
</body>
</html>
`.markup;
}

/** Names and values, one pair to a row. */
export function detailTable(rows: readonly (readonly [name: string, value: string])[]): Html {
  return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse">
${rows.map(
  ([name, value]) => html`<tr>
<td style="padding:8px 16px 8px 0;border-bottom:1px solid #f3f4f6;font-size:14px;color:#6b7280">${name}</td>
<td align="right" style="padding:8px 0;border-bottom:1px solid #f3f4f6;font-size:14px;font-weight:500;word-break:break-word">${value}</td>
</tr>
`,
)}</table>`;
}

/** The same as text. */
export function detailLines(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `${`${name}:`.padEnd(width)}${value}`).join('\n');
}
