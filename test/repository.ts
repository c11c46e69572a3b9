import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const ROOT = join(import.meta.dirname, '..');

/** The text of one of its files. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Runs `work` with these environment variables and no others. */
export function withEnvironment<T>(variables: Record<string, string>, work: () => T): T {
  const before = { ...process.env };
  // In place: modules keep hold of the object.
  const replace = (values: NodeJS.ProcessEnv) => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, values);
  };
  replace(variables);
  try {
    return work();
  } finally {
    replace(before);
  }
}

/** The settings of a configuration's schema by name: the default as text, null for one that has none. */
export function settingsOf(schema: {
  properties: Record<string, object>;
}): Map<string, string | null> {
  return new Map(
    Object.entries(schema.properties).map(([name, property]) => [
      name,
      'default' in property ? String(property.default) : null,
    ]),
  );
}
