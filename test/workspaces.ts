import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { ROOT, readText } from './repository.ts';

export interface Workspace {
  /** `packages/db`. */
  path: string;
  name: string;
  dependencies: Record<string, string>;
}

function readWorkspace(manifest: string): Workspace {
  const { name, dependencies = {} } = JSON.parse(readText(manifest)) as {
    name: string;
    dependencies?: Record<string, string>;
  };
  return { path: dirname(manifest), name, dependencies };
}

/** The applications and the packages that they need in production, directly or not. */
export function productionWorkspaces(): Workspace[] {
  const all = globSync('{apps,packages}/*/package.json', { cwd: ROOT }).map(readWorkspace);
  const needed = new Set(all.filter(({ path }) => path.startsWith('apps/')));
  // A set that grows while it is walked is walked to its end.
  for (const { dependencies } of needed) {
    for (const workspace of all) if (workspace.name in dependencies) needed.add(workspace);
  }
  return [...needed];
}
