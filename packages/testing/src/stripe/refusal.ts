export interface ErrorBody {
  readonly type: 'invalid_request_error' | 'idempotency_error' | 'api_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly [more: string]: unknown;
}

/** Thrown by whatever cannot be done; the server answers it as Stripe does, and control methods let it through. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: ErrorBody;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.name = 'Refusal';
    this.status = status;
    this.body = body;
  }
}

export function invalid(message: string, more: { code?: string; param?: string } = {}): Refusal {
  return new Refusal(400, { type: 'invalid_request_error', message, ...more });
}

export function missing(what: string, id: string, param = 'id'): Refusal {
  const message = `No such ${what}: '${id}'`;
  return new Refusal(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message,
    param,
  });
}

/** What a thing is that is kept by its id. @throws Refusal, 404 */
export function existing<T>(
  kept: ReadonlyMap<string, T>,
  what: string,
  id: string,
  param?: string,
) {
  const found = kept.get(id);
  if (found === undefined) throw missing(what, id, param);
  return found;
}
