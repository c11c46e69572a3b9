import { BlockList, isIP } from 'node:net';
import { embeddedIpv4 } from './embedded-ipv4.ts';

type Family = 'ipv4' | 'ipv6';

/** IANA's special-purpose registry (RFC 6890), and what is not unicast. */
const SPECIAL_IPV4 = blocks('ipv4', [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by a carrier's customers
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays, retired
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
]);

/** All global unicast that there is, and what of it is special. Everything else of IPv6 is none. */
const GLOBAL_IPV6 = blocks('ipv6', ['2000::/3']);
const SPECIAL_IPV6 = blocks('ipv6', [
  '2001::/23', // protocol assignments: Teredo, ORCHID, benchmarking
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, retired
  '3ffe::/16', // 6bone, given back
  '3fff::/20', // documentation
]);

/** What `allowPrivate` adds: this machine and networks of one's own. */
const PRIVATE_IPV4 = blocks('ipv4', [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
]);
const PRIVATE_IPV6 = blocks('ipv6', ['::1/128', 'fc00::/7']);

/** Where clouds hand out credentials to who asks, beyond link-local ones: forbidden whatever is allowed. */
const METADATA_IPV4 = blocks('ipv4', [
  '100.100.100.200/32', // Alibaba
  '168.63.129.16/32', // Azure: a public address, answered by the host
]);
const METADATA_IPV6 = blocks('ipv6', [
  'fd00:ec2::/32', // Amazon
  'fd20:ce::254/128', // Google
  'fd00:c1::a9fe:a9fe/128', // Oracle
  'fd00:42::42/128', // Scaleway
]);

/**
 * Whether an address may be connected to: one that is unicast and reachable from everywhere. `allowPrivate` adds loopback
 * and private addresses (RFC 1918, 6598 and 4193), and nothing else: link-local ones and those of metadata services stay
 * forbidden. An IPv6 address that stands for an IPv4 address, or carries one, is as good as that.
 */
export function isAllowedAddress(address: string, allowPrivate: boolean): boolean {
  switch (isIP(address)) {
    case 4:
      return isAllowedIpv4(address, allowPrivate);
    case 6:
      return isAllowedIpv6(address, allowPrivate);
    default:
      return false;
  }
}

function isAllowedIpv4(address: string, allowPrivate: boolean): boolean {
  if (METADATA_IPV4.check(address)) return false;
  if (allowPrivate && PRIVATE_IPV4.check(address)) return true;
  return !SPECIAL_IPV4.check(address);
}

function isAllowedIpv6(address: string, allowPrivate: boolean): boolean {
  // One with a zone is of a link.
  if (address.includes('%')) return false;
  const embedded = embeddedIpv4(address);
  if (embedded && !isAllowedIpv4(embedded.ipv4, allowPrivate)) return false;
  if (embedded?.isWhole) return true;
  if (METADATA_IPV6.check(address, 'ipv6')) return false;
  if (allowPrivate && PRIVATE_IPV6.check(address, 'ipv6')) return true;
  return GLOBAL_IPV6.check(address, 'ipv6') && !SPECIAL_IPV6.check(address, 'ipv6');
}

function blocks(family: Family, ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
