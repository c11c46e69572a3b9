/** By the codes of Node and undici. What is in no list is told by its code. */
const TEXTS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'timed out',
  UND_ERR_HEADERS_TIMEOUT: 'timed out',
  UND_ERR_BODY_TIMEOUT: 'timed out',
  ETIMEDOUT: 'timed out',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed',
  EPIPE: 'connection closed',
  UND_ERR_SOCKET: 'connection closed',
  ENOTFOUND: 'name not found',
  ENODATA: 'name not found',
  EAI_AGAIN: 'name not found',
  EAI_NODATA: 'name not found',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'host unreachable',
  UND_ERR_HEADERS_OVERFLOW: 'headers too large',
  url_not_allowed: 'address not allowed',
  EPROTO: 'tls failed',
};

export const TIMED_OUT = 'timed out';

/** What OpenSSL says of certificates: `CERT_HAS_EXPIRED`, `DEPTH_ZERO_SELF_SIGNED_CERT`. */
const TLS = /CERT|^ERR_TLS_|^ERR_SSL_|^UNABLE_TO_/;

/** Why a request had no answer, in a few words that stay the same: they are shown to the owner of the endpoint. */
export function describeSendError(error: unknown): string {
  const codes = codesOf(error);
  for (const code of codes) {
    const text = TEXTS[code];
    if (text !== undefined) return text;
    if (TLS.test(code)) return `tls failed: ${code}`;
    // The parser of HTTP.
    if (code.startsWith('HPE_')) return 'the answer is not http';
  }
  return codes[0] === undefined ? 'no answer' : `no answer: ${codes[0]}`;
}

/** Whether it is this process, or its machine, that can open nothing more. */
export function isShortage(error: unknown): boolean {
  return codesOf(error).some((code) => code === 'EMFILE' || code === 'ENFILE');
}

/** Of the error, or of the first of several: a name may have several addresses. */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return inner === undefined || inner === error ? own : [...own, ...codesOf(inner)];
}
