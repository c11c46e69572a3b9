/** What an API key may be restricted to. */
export const SCOPES = [
  'orders:read',
  'orders:write',
  'tasks:read',
  'tasks:write',
  'webhooks:manage',
  'deposits:write',
  'events:read',
  'account:read',
] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}
