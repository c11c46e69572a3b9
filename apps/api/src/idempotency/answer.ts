import type { FastifyReply } from 'fastify';

/** An answer as it is stored and replayed: status, the headers that belong to it, and the body's bytes. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** What a handler answers. */
export interface Outcome {
  status: number;
  body: object;
  /** Path of what was created. */
  location?: string;
  /** Entity tag of the body. */
  etag?: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** The answer to an outcome, serialized by the schema that the route declares for its status. */
export function render(reply: FastifyReply, { status, body, location, etag }: Outcome): Answer {
  return {
    status,
    headers: { 'content-type': JSON_TYPE, ...(location && { location }), ...(etag && { etag }) },
    body: String(reply.serializeInput({ ...body }, String(status))),
  };
}
