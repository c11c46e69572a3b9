import { isIP } from 'node:net';
import { isAllowedAddress } from './addresses.ts';
import { type Resolve, resolveName } from './resolve.ts';

/** What an installation allows beyond https to public addresses. */
export interface UrlRules {
  /** Loopback and private addresses too: see `isAllowedAddress`. */
  allowPrivate: boolean;
  /** `http:` beside `https:`. */
  allowHttp: boolean;
}

/** A URL that must not be called. Its message says why, names no address, and can be shown. */
export class UrlNotAllowed extends Error {
  override readonly name = 'UrlNotAllowed';
  readonly code = 'url_not_allowed';
}

const RESOLVED_WITHIN_MS = 2_000;

/** Names that are never anything public: RFC 6761, 6762, 8375, and what ICANN keeps for private use. */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|home\.arpa)$/;

/**
 * The URL, as it will be called: `href` of the answer is what to keep, in which odd spellings of a host are gone.
 *
 * @throws UrlNotAllowed
 */
export function assertAllowedUrl(text: string, rules: UrlRules): URL {
  // The parser drops some of them wherever they are: who writes them in a URL hides something.
  if (/[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]/u.test(text)) {
    throw new UrlNotAllowed('a URL has no white space or control characters');
  }
  const url = URL.parse(text);
  if (!url) throw new UrlNotAllowed('this is no URL');
  assertAllowedScheme(url.protocol, rules);
  if (url.username || url.password) {
    throw new UrlNotAllowed('a URL with a user name or a password is not called');
  }
  if (url.href.includes('#')) throw new UrlNotAllowed('a URL with a fragment is not called');
  assertAllowedHost(url.hostname, rules);
  return url;
}

/**
 * `assertAllowedUrl`, which also resolves the name, within two seconds, and refuses it when any answer is forbidden. A
 * name that does not resolve now passes: connecting checks again (`createGuardedAgent`).
 *
 * @throws UrlNotAllowed
 */
export async function assertAllowedTarget(
  text: string,
  rules: UrlRules,
  resolve: Resolve = resolveName,
): Promise<URL> {
  const url = assertAllowedUrl(text, rules);
  const host = bare(url.hostname);
  if (isIP(host) === 0) assertAllowedAddresses(await answersOf(host, resolve), rules);
  return url;
}

/** @throws UrlNotAllowed */
export function assertAllowedScheme(protocol: string, { allowHttp }: UrlRules): void {
  if (protocol === 'https:' || (allowHttp && protocol === 'http:')) return;
  throw new UrlNotAllowed(
    `only ${allowHttp ? 'http and https URLs are' : 'an https URL is'} called`,
  );
}

/**
 * For the host of a URL: an address (in brackets or not) or a name.
 *
 * @throws UrlNotAllowed
 */
export function assertAllowedHost(hostname: string, rules: UrlRules): void {
  const host = bare(hostname);
  if (isIP(host) !== 0) {
    assertAllowedAddresses([host], rules);
    return;
  }
  const name = host.replace(/\.$/, '').toLowerCase();
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name)) {
    throw new UrlNotAllowed('its host is no name');
  }
  if (rules.allowPrivate) return;
  if (!name.includes('.') || PRIVATE_NAME.test(name)) {
    throw new UrlNotAllowed('its host is not a public one');
  }
}

/** @throws UrlNotAllowed when one of them is forbidden, whatever the others are */
export function assertAllowedAddresses(
  addresses: readonly string[],
  { allowPrivate }: UrlRules,
): void {
  if (addresses.every((address) => isAllowedAddress(address, allowPrivate))) return;
  throw new UrlNotAllowed('its host has an address that is not a public one');
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

async function answersOf(name: string, resolve: Resolve): Promise<readonly string[]> {
  const { promise: late, resolve: giveUp } = Promise.withResolvers<readonly string[]>();
  const timer = setTimeout(() => giveUp([]), RESOLVED_WITHIN_MS);
  try {
    return await Promise.race([resolve(name), late]);
  } catch {
    // It has no address now; it may have one when it is called, and is looked at then.
    return [];
  } finally {
    clearTimeout(timer);
  }
}
