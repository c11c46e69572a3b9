import { invalid } from './refusal.ts';

/**
 * What a client sent, in a query or a form body: `amount=1`, `metadata[a]=b`, `expand[]=c`, `expand[0]=c`. Deeper
 * nesting is accepted and not read.
 */
export class Form {
  readonly #entries: readonly (readonly [string, string])[];

  constructor(encoded: string) {
    this.#entries = [...new URLSearchParams(encoded)];
  }

  /** @throws when there is another than these, as Stripe refuses what it does not know */
  allowOnly(...names: string[]): void {
    for (const [key] of this.#entries) {
      const [name = ''] = key.split('[', 1);
      if (!names.includes(name)) {
        const message = `Received unknown parameter: ${name}`;
        throw invalid(message, { code: 'parameter_unknown', param: name });
      }
    }
  }

  text(name: string): string | null {
    return this.#entries.findLast(([key]) => key === name)?.[1] ?? null;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === null || value === '') {
      throw invalid(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name });
    }
    return value;
  }

  /** Of digits only: a sign or a fraction is refused. */
  integer(name: string): number | null {
    const value = this.text(name);
    if (value === null) return null;
    if (!/^\d{1,15}$/.test(value)) {
      throw invalid(`Invalid integer: ${value}`, {
        code: 'parameter_invalid_integer',
        param: name,
      });
    }
    return Number(value);
  }

  boolean(name: string): boolean | null {
    const value = this.text(name);
    if (value === null || value === 'true' || value === 'false') {
      return value === null ? null : value === 'true';
    }
    throw invalid(`Invalid boolean: ${value}`, { param: name });
  }

  list(name: string): string[] {
    return this.#inside(name)
      .filter(([key]) => /^\d*$/.test(key))
      .map(([, value]) => value);
  }

  map(name: string): Record<string, string> {
    return Object.fromEntries(this.#inside(name));
  }

  /** What stands between the brackets, with its value. */
  #inside(name: string): [string, string][] {
    return this.#entries.flatMap(([key, value]): [string, string][] =>
      key.startsWith(`${name}[`) && key.endsWith(']')
        ? [[key.slice(name.length + 1, -1), value]]
        : [],
    );
  }
}
