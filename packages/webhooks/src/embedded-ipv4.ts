/** An IPv4 address in an IPv6 one. `isWhole`: the one only stands for the other, and goes there. */
export interface EmbeddedIpv4 {
  ipv4: string;
  isWhole: boolean;
}

/** The IPv4 address that an IPv6 address (valid, without a zone) stands for or carries; null when there is none. */
export function embeddedIpv4(address: string): EmbeddedIpv4 | null {
  const groups = groupsOf(address);
  const [a = 0, b = 0, c = 0, , e = 0, f = 0, g = 0, h = 0] = groups;
  const isZero = (to: number) => groups.slice(0, to).every((group) => group === 0);

  // RFC 4291: mapped ::ffff:0:0/96. RFC 2765: translated ::ffff:0:0:0/96.
  if (isZero(5) && f === 0xffff) return { ipv4: ipv4Of(g, h), isWhole: true };
  if (isZero(4) && e === 0xffff && f === 0) return { ipv4: ipv4Of(g, h), isWhole: false };
  // RFC 4291: compatible ::/96, retired; `::` and `::1` are addresses of their own.
  if (isZero(6) && (g !== 0 || h > 1)) return { ipv4: ipv4Of(g, h), isWhole: false };
  // RFC 6052: NAT64, which networks without IPv4 reach all of IPv4 through.
  if (a === 0x64 && b === 0xff9b && groups.slice(2, 6).every((group) => group === 0)) {
    return { ipv4: ipv4Of(g, h), isWhole: true };
  }
  // RFC 8215: NAT64 of a network's own. Where the address stands in it, only that network knows.
  if (a === 0x64 && b === 0xff9b && c === 1) return { ipv4: ipv4Of(g, h), isWhole: false };
  // RFC 3056: 6to4. RFC 4380: Teredo, which has the client's inverted.
  if (a === 0x2002) return { ipv4: ipv4Of(b, c), isWhole: false };
  if (a === 0x2001 && b === 0) return { ipv4: ipv4Of(g ^ 0xffff, h ^ 0xffff), isWhole: false };
  // RFC 5214: ISATAP, under any prefix.
  if ((e === 0 || e === 0x200) && f === 0x5efe) return { ipv4: ipv4Of(g, h), isWhole: false };
  return null;

  function ipv4Of(high: number, low: number): string {
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  }
}

function groupsOf(address: string): number[] {
  // The parser of URLs knows all spellings, also with dots at the end, and has one of its own: hex, `::` once at most.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const first = head.split(':').filter(Boolean);
  const last = (tail ?? '').split(':').filter(Boolean);
  const gap = Array<string>(8 - first.length - last.length).fill('0');
  return [...first, ...gap, ...last].map((group) => Number.parseInt(group, 16));
}
