import { parse } from 'yaml';
import { readText } from './repository.ts';

export interface Service {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  restart?: string;
  stop_grace_period?: string;
  container_name?: string;
  hostname?: string;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
}

export interface ComposeFile {
  services: Record<string, Service>;
  volumes: Record<string, null>;
}

/** docker-compose.yml as Compose sees it: merged, and with the variables of `environment` filled in. */
export function composeFile(environment: Record<string, string>): ComposeFile {
  const file: unknown = parse(readText('docker-compose.yml'), { merge: true });
  return JSON.parse(JSON.stringify(file), (_, value: unknown) =>
    typeof value === 'string' ? interpolate(value, environment) : value,
  ) as ComposeFile;
}

/** Names of all the variables that docker-compose.yml takes from outside. */
export function composeVariables(): string[] {
  return [...readText('docker-compose.yml').matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
}

/**
 * Compose's rules: `${NAME}`, `${NAME:-default}` and `${NAME:?message}`, where a default may hold further ones.
 *
 * @throws when a variable with `:?` is missing or empty, or for a form that is none of these
 */
export function interpolate(text: string, environment: Record<string, string>): string {
  const at = text.indexOf('$');
  if (at === -1) return text;
  const end = closing(text, at);
  const [, name, form, rest = ''] =
    /^(\w+)(?:(:-|:\?)(.*))?$/s.exec(text.slice(at + 2, end - 1)) ?? [];
  if (text[at + 1] !== '{' || name === undefined) throw new Error(`cannot read ${text}`);
  const tail = interpolate(text.slice(end), environment);
  return text.slice(0, at) + resolveVariable(name, form, rest, environment) + tail;
}

function resolveVariable(
  name: string,
  form: string | undefined,
  rest: string,
  environment: Record<string, string>,
): string {
  const value = environment[name] ?? '';
  if (value !== '' || form === undefined) return value;
  if (form === ':?') throw new Error(`required variable ${name} is missing: ${rest}`);
  return interpolate(rest, environment);
}

/** Where the `${` at `at` ends, behind its brace. */
function closing(text: string, at: number): number {
  let depth = 0;
  for (let index = at; index < text.length; index += 1) {
    if (text.startsWith('${', index)) depth += 1;
    if (text[index] === '}') depth -= 1;
    if (depth === 0 && index > at + 1) return index + 1;
  }
  throw new Error(`a variable is left open in ${text}`);
}
