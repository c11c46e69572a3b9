import { isIP } from 'node:net';

/** Words of proxy-addr, which Fastify asks. */
const RANGES = ['loopback', 'linklocal', 'uniquelocal'];

/**
 * The proxies whose `X-Forwarded-*` headers are believed, of the setting TRUST_PROXY: addresses, networks (10.0.0.0/8)
 * or names of private ranges. Empty for none.
 *
 * @throws for anything else, such as `true` or a number of hops, under which anybody could say that he is another
 */
export function trustedProxies(setting: string): string[] {
  const proxies = setting
    .split(',')
    .map((proxy) => proxy.trim())
    .filter((proxy) => proxy !== '');
  if (!proxies.every(isProxy)) {
    throw new Error(
      `TRUST_PROXY must be addresses, networks, or ${RANGES.join(', ')}; comma separated`,
    );
  }
  return proxies;
}

function isProxy(text: string): boolean {
  if (RANGES.includes(text)) return true;
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  // A network of everybody is no list of proxies.
  return (
    /^\d{1,3}$/.test(prefix) && Number(prefix) > 0 && Number(prefix) <= (version === 4 ? 32 : 128)
  );
}
