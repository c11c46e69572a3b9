import { existsSync, globSync, statSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';
import { expect, it } from 'vitest';
import { dockerfileStages } from './dockerfile.ts';
import { ROOT, readText } from './repository.ts';
import { productionWorkspaces } from './workspaces.ts';

const stages = dockerfileStages();
const image = stages.at(-1);
const fromRepository = stages.flatMap(({ copies }) => copies).filter(({ from }) => from === null);

function isIgnored(path: string): boolean {
  const patterns = readText('.dockerignore')
    .split('\n')
    .filter((line) => /^[^#]/.test(line));
  const parts = path.split('/');
  return parts.some((_, index) => {
    const part = parts.slice(0, index + 1).join('/');
    // The last one that matches decides.
    const last = patterns.findLast((pattern) => matchesGlob(part, pattern.replace(/^!/, '')));
    return last !== undefined && !last.startsWith('!');
  });
}

it('copies what is there and is not ignored, a folder to where it was', () => {
  for (const { sources, target } of fromRepository) {
    for (const source of sources) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(isIgnored(source), source).toBe(false);
      if (statSync(join(ROOT, source)).isDirectory()) expect(target).toBe(source);
      else expect(`${target}${source.split('/').at(-1)}`.replace(/^\.\//, '')).toBe(source);
    }
  }
});

it('leaves out of its context what is made or secret', () => {
  const out = [
    '.env',
    '.git',
    '.gatehouse',
    'node_modules',
    'apps/api/node_modules',
    'apps/api/test',
    'docs/operating.md',
  ];
  expect(out.filter((path) => !isIgnored(path))).toEqual([]);
  expect(isIgnored('packages/db/src/generated/client.ts')).toBe(true);
});

it('takes the manifests of what runs in production, of all of it and of nothing else', () => {
  const manifests = fromRepository
    .flatMap(({ sources }) => sources)
    .filter((source) => source.endsWith('/package.json'));
  const wanted = productionWorkspaces().map(({ path }) => `${path}/package.json`);
  expect(manifests.sort()).toEqual(wanted.sort());
  expect(wanted).not.toContain('packages/testing/package.json');
});

it('has the files that its sources read beside themselves', () => {
  const inEarlierStages = fromRepository.flatMap(({ sources }) => sources);
  const copied = [
    ...(image?.copies.flatMap(({ sources }) => sources) ?? []),
    ...inEarlierStages.filter((source) => source.endsWith('/package.json')),
  ];
  const read = productionWorkspaces().flatMap(({ path }) =>
    globSync(`${path}/src/**/*.ts`, { cwd: ROOT, exclude: ['**/generated/**'] }).flatMap((file) =>
      [...readText(file).matchAll(/new URL\(\s*'(\.[^']*)',\s*import\.meta\.url/g)].map(
        ([, target = '']) => join(dirname(file), target),
      ),
    ),
  );
  expect(read).toContain('docs/webhooks.md');
  const isThere = (file: string) =>
    copied.some((source) => file === source || `${file}/`.startsWith(`${source}/`));
  expect(read.filter((file) => !isThere(file))).toEqual([]);
});

it('ends with the sources of what runs in production, and with no others', () => {
  const folders = image?.copies
    .filter(({ from }) => from === null)
    .flatMap(({ sources }) => sources)
    .filter((source) => source.endsWith('/src'));
  expect(folders?.sort()).toEqual(
    productionWorkspaces()
      .map(({ path }) => `${path}/src`)
      .sort(),
  );
});

it('has sources that import production dependencies only', () => {
  const undeclared = productionWorkspaces().flatMap(({ path, name, dependencies }) =>
    globSync(`${path}/src/**/*.ts`, { cwd: ROOT, exclude: ['**/generated/**'] }).flatMap((file) =>
      [...readText(file).matchAll(/^(?!import type\b).*\b(?:from|import) ?\(?'([^'.\n][^'\n]*)'/gm)]
        .map(([, specifier = '']) => specifier)
        .filter((specifier) => !specifier.startsWith('node:'))
        .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier)
        .filter((dependency) => dependency !== name && !(dependency in dependencies))
        .map((dependency) => `${file}: ${dependency}`),
    ),
  );
  expect(undeclared).toEqual([]);
});

it('runs on the Node of package.json, as a user with few rights, without a shell', () => {
  const { node } = (JSON.parse(readText('package.json')) as { dependencies: { node: string } })
    .dependencies;
  const bases = stages.map(({ base }) => base).filter((base) => base.includes(':'));
  expect([...new Set(bases)]).toEqual([`node:${node}-slim`]);
  const last = (name: string) => image?.instructions.findLast((one) => one.name === name)?.value;
  expect(last('USER')).toBe('node');
  expect(last('ENV')).toBe('HOST=0.0.0.0');
  expect(last('ENTRYPOINT')).toBeUndefined();
  const [program, file = ''] = JSON.parse(last('CMD') ?? '[]') as string[];
  expect([program, existsSync(join(ROOT, file))]).toEqual(['node', true]);
});
