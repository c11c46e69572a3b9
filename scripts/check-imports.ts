import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync } from 'oxc-parser';

/**
 * `npm run check:imports`: imports run one way, and never in a circle. Types count as well: a reader follows them
 * like any other import.
 */

const ROOT = join(import.meta.dirname, '..');

/** What may import what. `*` on the left: tests and scripts of any workspace. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  webhooks: [],
  market: ['domain'],
  payments: ['domain'],
  db: ['domain'],
  jobs: ['db', 'domain'],
  api: ['jobs', 'db', 'market', 'payments', 'domain', 'webhooks'],
  worker: ['jobs', 'db', 'market', 'payments', 'domain', 'webhooks'],
  local: ['jobs', 'db', 'domain'],
  testing: ['local', 'jobs', 'db', 'domain', 'webhooks'],
  faults: ['testing', 'local', 'db'],
  benchmarks: ['testing', 'local', 'db', 'domain'],
};
const TESTS_AND_SCRIPTS_MAY_ALSO_IMPORT = ['testing', 'local'];

interface Import {
  from: string;
  specifier: string;
  /** The file it leads to, when it is one of ours. */
  to: string | null;
}

const files = globSync(
  ['{apps,packages}/*/{src,test,scripts}/**/*.ts', '{faults,benchmarks}/**/*.ts'],
  {
    cwd: ROOT,
  },
)
  .filter((file) => !file.includes(`${sep}generated${sep}`))
  .map((file) => join(ROOT, file));

const imports = files.flatMap(importsOf);
const problems = [...imports.flatMap(wrongDirection), ...circles()];
for (const problem of problems) console.error(problem);
console.log(`${files.length} files, ${imports.length} imports, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

function importsOf(file: string): Import[] {
  const { module, errors } = parseSync(file, readFileSync(file, 'utf8'));
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const specifiers = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.flatMap(({ moduleRequest }) => {
      const text = readFileSync(file, 'utf8').slice(moduleRequest.start, moduleRequest.end);
      return /^(['"]).*\1$/.test(text) ? text.slice(1, -1) : [];
    }),
  ];
  return specifiers.map((specifier) => ({ from: file, specifier, to: target(file, specifier) }));
}

function target(file: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return resolve(dirname(file), specifier);
  const [, workspace, path] = /^@gatehouse\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
  return workspace === undefined ? null : join(ROOT, 'packages', workspace, 'src', `${path}.ts`);
}

function workspaceOf(file: string): string {
  const [top = '', name = ''] = relative(ROOT, file).split(sep);
  return ['faults', 'benchmarks'].includes(top) ? top : name;
}

function wrongDirection({ from, specifier, to }: Import): string[] {
  if (to === null) return [];
  const where = `${relative(ROOT, from)} imports ${specifier}`;
  if (!existsSync(to)) return [`${where}, which is not there`];
  const [importer, imported] = [workspaceOf(from), workspaceOf(to)];
  if (importer === imported) {
    const isSource = relative(ROOT, from).split(sep)[2] === 'src';
    const leavesSource = isSource && relative(ROOT, to).split(sep)[2] !== 'src';
    return leavesSource && !to.includes('generated')
      ? [`${where}: sources do not import tests or scripts`]
      : [];
  }
  if (specifier.startsWith('.')) return [`${where}: across workspaces by name, not by path`];
  const isSource = relative(ROOT, from).split(sep)[2] === 'src';
  const allowed = [
    ...(MAY_IMPORT[importer] ?? []),
    ...(isSource ? [] : TESTS_AND_SCRIPTS_MAY_ALSO_IMPORT),
  ];
  return allowed.includes(imported) ? [] : [`${where}: ${importer} may not import ${imported}`];
}

/** Each circle once, by the files in it. */
function circles(): string[] {
  const graph = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at !== -1) {
      found.push(
        `circle: ${[...path.slice(at), file].map((one) => relative(ROOT, one)).join(' → ')}`,
      );
      return;
    }
    if (done.has(file)) return;
    for (const { to } of graph.get(file) ?? []) if (to !== null) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return found;
}
