import createError, { type FastifyErrorConstructor } from '@fastify/error';

type Constructor = FastifyErrorConstructor<{ code: string }, [string?]>;

/** All problems by their code in capitals (@fastify/error writes it so), and what the API docs list. */
export const PROBLEMS = new Map<string, { code: string; status: number; title: string }>();

/** An error that a client is told of: RFC 9457, with a stable `code`. `%s` in the detail takes the one argument. */
function problem(status: number, code: string, title: string, detail = title): Constructor {
  PROBLEMS.set(code.toUpperCase(), { code, status, title });
  return createError(code, detail, status);
}

// What the server finds in a request before a handler sees it.
export const MalformedJson = problem(400, 'malformed_json', 'The body is not valid JSON', '%s');
export const JsonTooComplex = problem(400, 'json_too_complex', 'The body is too complex', '%s');
export const BadRequest = problem(400, 'bad_request', 'The request is malformed');
export const AmbiguousHeader = problem(
  400,
  'ambiguous_header',
  'A header that a request has once is missing or repeated',
  '%s',
);
export const ValidationFailed = problem(
  400,
  'validation_failed',
  'The request does not fit its schema',
);
export const Unauthorized = problem(401, 'unauthorized', 'Valid credentials are required');
export const Forbidden = problem(403, 'forbidden', 'The credentials do not allow this', '%s');
export const RouteNotFound = problem(404, 'route_not_found', 'There is nothing at this path');
export const MethodNotAllowed = problem(
  405,
  'method_not_allowed',
  'The path does not take this method',
);
export const BodyTooLarge = problem(413, 'body_too_large', 'The body is larger than 1 MiB');
export const UnsupportedMediaType = problem(
  415,
  'unsupported_media_type',
  'The body is not application/json',
);
export const RequestTimeout = problem(
  408,
  'request_timeout',
  'The request took too long to arrive',
);
export const ExpectationFailed = problem(
  417,
  'expectation_failed',
  'The only expectation that is met is 100-continue',
);
export const HeadersTooLarge = problem(431, 'headers_too_large', 'The headers are too large');
export const RateLimited = problem(429, 'rate_limited', 'Too many requests');
export const Internal = problem(500, 'internal_error', 'Something went wrong on our side');
export const Unavailable = problem(
  503,
  'service_unavailable',
  'The service cannot take requests now; try again',
);
export const Overloaded = problem(
  503,
  'overloaded',
  'There is more to do than can be done now; try again',
);

// Idempotency keys.
export const IdempotencyKeyRequired = problem(
  400,
  'idempotency_key_required',
  'This route needs an Idempotency-Key header',
);
export const IdempotencyKeyInvalid = problem(
  400,
  'idempotency_key_invalid',
  'An Idempotency-Key is one header of 1 to 255 printable ASCII characters',
);
export const IdempotencyKeyInUse = problem(
  409,
  'idempotency_key_in_use',
  'A request with this Idempotency-Key is still running',
);
export const IdempotencyKeyReused = problem(
  422,
  'idempotency_key_reused',
  'This Idempotency-Key was used for another request',
);

// Deposits.
export const PaymentsUnavailable = problem(
  503,
  'payments_unavailable',
  'The payment provider cannot be reached; try again',
);
export const PaymentsNotConfigured = problem(
  503,
  'payments_not_configured',
  'No payment provider is set up here',
);
export const DepositRefused = problem(
  422,
  'deposit_refused',
  'The deposit was not taken; begin another under a new key',
);

// Events from Stripe.
export const StripeSignatureInvalid = problem(
  400,
  'stripe_signature_invalid',
  'The request is not signed by Stripe, or not now',
  '%s',
);
export const StripeEventInvalid = problem(
  400,
  'stripe_event_invalid',
  'The body is no event: JSON in UTF-8 with an id and a type',
);
export const StripeEventInProgress = problem(
  409,
  'stripe_event_in_progress',
  'A job is owed for the event: it comes by itself, or, when it is dead, once it is redriven',
);

// Webhook endpoints.
export const UrlNotAllowed = problem(
  422,
  'url_not_allowed',
  'The URL is not one that webhooks are sent to',
  'Webhooks are not sent to this URL: %s',
);
export const WebhookEndpointLimit = problem(
  409,
  'webhook_endpoint_limit',
  'The account has as many webhook endpoints as it may have',
);
export const WebhookEndpointDisabled = problem(
  409,
  'webhook_endpoint_disabled',
  'The webhook endpoint is disabled; enable it first',
);
export const WebhookReplayRunning = problem(
  409,
  'webhook_replay_running',
  'A replay to the webhook endpoint is running; wait for its end, or cancel it',
);
export const WebhookReplayEnded = problem(
  409,
  'webhook_replay_ended',
  'The replay has ended: there is nothing to cancel',
);

// Resources.
export const NotFound = problem(
  404,
  'not_found',
  'There is no such resource',
  'There is no such %s',
);
export const PreconditionFailed = problem(
  412,
  'precondition_failed',
  'The resource has changed since the version of If-Match',
);
export const InvalidCredentials = problem(
  401,
  'invalid_credentials',
  'The e-mail or the password is wrong',
);
export const WrongPassword = problem(422, 'wrong_password', 'The current password is wrong');
export const ResetTokenInvalid = problem(
  400,
  'reset_token_invalid',
  'The link to reset the password was used, has run out, or never was one',
);
export const EmailTaken = problem(
  409,
  'email_taken',
  'There is an account with this e-mail already',
);
export const LastAdmin = problem(
  409,
  'last_admin',
  'The last active admin cannot be removed, demoted or deactivated',
);
export const ClientOrderIdTaken = problem(
  409,
  'client_order_id_taken',
  'The account has used this clientOrderId before',
  'The account has used clientOrderId %s before',
);
export const OrderNotCancelable = problem(
  409,
  'order_not_cancelable',
  'The order is in a final state',
  'The order is %s',
);
export const JobNotRedrivable = problem(
  409,
  'job_not_redrivable',
  'The job is dispatched: it may be running',
);
export const JobNotCancelable = problem(
  409,
  'job_not_cancelable',
  'The job cannot be canceled now',
  'The job cannot be canceled: %s',
);
