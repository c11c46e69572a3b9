/**
 * What happens to a request. `refuse`: the connection is cut and nothing done. `hang`: nothing is done, nor answered.
 * `status`: an error, and nothing done. `delayMs`: it is done at once, and answered (and its idempotency key is in
 * use) until then.
 */
export type Fault =
  | 'refuse'
  | 'hang'
  | 'hang after accepting'
  | 'cut after accepting'
  | { readonly status: number }
  | { readonly delayMs: number };

export interface Faults {
  /**
   * Meets the next requests so, those of earlier calls first.
   *
   * @param at a path with all below it, and its method if it matters: `POST /v1/refunds`
   * @param times how many; Infinity until `clear()`
   */
  add(at: string, fault: Fault, times: number): void;
  /** The fault that this request meets, which is used up by that. */
  next(method: string, path: string): Fault | null;
  clear(): void;
}

export function createFaults(): Faults {
  let rules: { at: string; fault: Fault; left: number }[] = [];
  return {
    add: (at, fault, times) => {
      rules.push({ at, fault, left: times });
    },
    next: (method, path) => {
      const targets = [path, `${method} ${path}`];
      const rule = rules.find(
        ({ at, left }) =>
          left > 0 && targets.some((target) => target === at || target.startsWith(`${at}/`)),
      );
      if (!rule) return null;
      rule.left -= 1;
      return rule.fault;
    },
    clear: () => {
      rules = [];
    },
  };
}
