import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, readText } from './repository.ts';

const documents = globSync(['README.md', 'CONTRIBUTING.md', 'docs/**/*.md'], { cwd: ROOT });

/** What the README has its readers make. */
const YET_TO_BE_MADE = [
  'packages/jobs/src/definitions/escalate-task.ts',
  'apps/worker/src/processors/escalate-task.ts',
];

const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, first = '']) => first);

it('have links that lead somewhere', () => {
  const broken = documents.flatMap((document) =>
    all(readText(document), /\]\((?!https?:|#)([^)#]+)/g)
      .filter((link) => !existsSync(join(ROOT, dirname(document), link)))
      .map((link) => `${document}: ${link}`),
  );
  expect(documents).toContain('README.md');
  expect(broken).toEqual([]);
});

it('name files that are there', () => {
  const named = documents.flatMap((document) =>
    all(readText(document), /(?<![\w/@])((?:apps|packages|scripts|docs|test)\/[\w./-]*\w)/g),
  );
  const missing = named.filter((path) => !existsSync(join(ROOT, path)));
  expect(named.length).toBeGreaterThan(20);
  expect([...new Set(missing)].sort()).toEqual([...YET_TO_BE_MADE].sort());
});

it('name commands that there are', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
  const used = documents.flatMap((document) =>
    all(readText(document), /\bnpm run (?:--silent )?([\w:]+)/g),
  );
  expect(used.filter((name) => !(name in scripts))).toEqual([]);
  expect(used).toContain('check:invariants');
});

it('are there for every decision that the code refers to', () => {
  const sources = globSync('{apps,packages}/*/{src,prisma}/**/*.{ts,prisma}', { cwd: ROOT });
  const referred = sources.flatMap((source) => all(readText(source), /(docs\/adr\/[\w-]+\.md)/g));
  expect(referred.length).toBeGreaterThan(3);
  expect(referred.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
