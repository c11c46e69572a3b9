import { readFile } from 'node:fs/promises';
import { marked } from 'marked';

/** Where the whole guide is shown. */
export const GUIDE_PATH = '/docs/webhooks';

const GUIDE = new URL('../../../../docs/webhooks.md', import.meta.url);
const CHAPTER = 'Verifying';

/** The guide for receivers, as Markdown. */
export interface ReceiverGuide {
  whole: string;
  /** What it says of verifying. */
  verifying: string;
}

/** @throws when the guide says nothing of verifying */
export async function readGuide(): Promise<ReceiverGuide> {
  const whole = (await readFile(GUIDE, 'utf8')).replace(/<!--.*?-->\n+/gs, '');
  const chapter = whole.split(/^## /m).find((part) => part.startsWith(`${CHAPTER}\n`));
  if (chapter === undefined) throw new Error(`docs/webhooks.md has no chapter ${CHAPTER}`);
  return { whole, verifying: `### ${chapter.trim()}` };
}

/** The guide as a page. What it is made of is ours, and needs no cleaning. */
export async function guidePage({ whole }: ReceiverGuide): Promise<string> {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatehouse: receiving webhooks</title>
<link rel="icon" href="data:,">
<style>
  body { max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; color: #111827; font: 16px/1.6 system-ui, sans-serif; }
  h1, h2 { line-height: 1.25; } h2 { margin-top: 2.5rem; }
  a { color: #1d4ed8; }
  code { padding: .1em .3em; background: #f3f4f6; border-radius: .25rem; font: .875em/1.5 ui-monospace, monospace; }
  pre { padding: 1rem; overflow-x: auto; background: #f3f4f6; border-radius: .5rem; }
  pre code { padding: 0; background: none; }
  table { width: 100%; border-collapse: collapse; }
  th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid #e5e7eb; text-align: left; vertical-align: top; }
</style>
</head>
<body>
<p><a href="/docs">All of the API</a></p>
${await marked.parse(whole)}</body>
</html>`;
}
