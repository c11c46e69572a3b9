import type { RouteOptions } from 'fastify';

/** Declares what a plugin may answer in place of a route, beside what the route declares itself. For `onRoute`. */
export function addResponses(route: RouteOptions, responses: Record<number, unknown>): void {
  const declared: unknown = route.schema?.response;
  const own = typeof declared === 'object' ? declared : {};
  route.schema = { ...route.schema, response: { ...responses, ...own } };
}
