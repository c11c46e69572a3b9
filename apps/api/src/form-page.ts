export interface FormPage {
  /** Ours, never a client's, as is the rest. */
  title: string;
  /** What is between the tags of the body. */
  content: string;
  /** Path of a script, if it has one. The policy for content allows none that is inline. */
  script?: string;
}

/** A whole page that is one small form. */
export function formPage({ title, content, script }: FormPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatehouse: ${title}</title>
<link rel="icon" href="data:,">
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f3f4f6; color: #111827;
    font: 16px/1.5 system-ui, sans-serif; }
  form { width: 20rem; padding: 2rem; background: #fff; border-radius: .75rem; box-shadow: 0 1px 8px #0002; }
  h1 { margin: 0 0 1rem; font-size: 1.25rem; }
  label { display: block; margin-top: .75rem; font-size: .875rem; }
  input { width: 100%; box-sizing: border-box; margin-top: .25rem; padding: .5rem; font: inherit;
    border: 1px solid #d1d5db; border-radius: .375rem; }
  button { width: 100%; margin-top: 1.25rem; padding: .625rem; font: inherit; color: #fff; background: #1d4ed8;
    border: 0; border-radius: .375rem; cursor: pointer; }
  button:disabled { background: #9ca3af; cursor: default; }
  p { margin: 0; padding: .5rem .75rem; background: #fef2f2; color: #991b1b; border-radius: .375rem; }
  p.done { background: #f0fdf4; color: #166534; }
  [hidden] { display: none; }
</style>
${script === undefined ? '' : `<script src="${script}" defer></script>\n`}</head>
<body>
${content}
</body>
</html>`;
}
