/** A random number from 0 to 1, the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What a header of a time and a right digest must not become. */
const BY_HAND = (time: number, digest: string): string[] => {
  const t = `t=${time}`;
  const v1 = `v1=${digest}`;
  return [
    '',
    ',',
    '=',
    '=,=',
    't',
    't=',
    'v1=',
    't=,v1=',
    t,
    v1,
    `${t},`,
    `${v1},`,
    `,${t},${v1}`,
    `${t},${v1},`,
    `${t},,${v1}`,
    `${t};${v1}`,
    `${t} ${v1}`,
    `${t}, ${v1}`,
    `${t} ,${v1}`,
    `${t}\t,${v1}`,
    `t = ${time},${v1}`,
    `t= ${time},${v1}`,
    `${t},v1 = ${digest}`,
    `T=${time},${v1}`,
    `${t},V1=${digest}`,
    `${t},${t},${v1}`,
    `${t},t=${time + 1},${v1}`,
    `${t},${v1},${t}`,
    `t=+${time},${v1}`,
    `t=-${time},${v1}`,
    `t=0${time},${v1}`,
    `t=${time}.0,${v1}`,
    `t=${time}.5,${v1}`,
    `t=${time}e0,${v1}`,
    `t=0x${time.toString(16)},${v1}`,
    `t=${time}n,${v1}`,
    `t=${time}_0,${v1}`,
    `t=NaN,${v1}`,
    `t=Infinity,${v1}`,
    `t=null,${v1}`,
    `t=0,${v1}`,
    `t=${'9'.repeat(13)},${v1}`,
    `t=${'9'.repeat(400)},${v1}`,
    `t="${time}",${v1}`,
    `t=${new Date(time * 1_000).toISOString()},${v1}`,
    `${t},v1="${digest}"`,
    `${t},v1=0x${digest}`,
    `${t},v1=${digest}=`,
    `${t},v1==${digest}`,
    `${t},v1=${digest}0`,
    `${t},v1=${digest}00`,
    `${t},v1=${digest.slice(1)}`,
    `${t},v1=${digest.slice(2)}`,
    `${t},v1=${digest}${digest}`,
    `${t},v1=${Buffer.from(digest, 'hex').toString('base64')}`,
    `${t},v1=${digest.slice(0, 63)}g`,
    `${t},v1=${digest.slice(0, 63)}\u00e9`,
    `${t},v1=${'\u00e9'.repeat(64)}`,
    `${t},v1=${'\u00e9'.repeat(32)}`,
    `${t},v1=${digest},v1=`,
    `${t},v1=${digest},v1=0`,
    `${t},v1=${digest},v1=${'z'.repeat(64)}`,
    `${t},v0=${digest}`,
    `${t},v2=${digest}`,
    `${t},v1a=${digest}`,
    `${t},${v1},\u00e9=1`,
    `${t},${v1},v0=\u00e9`,
    `${t},${v1},noise`,
    `${t},${v1},=noise`,
    `${t},${v1},${'x'.repeat(40)}=1`,
    `${t},${v1},v0=${'0'.repeat(2_000)}`,
    `${t},${Array.from({ length: 100 }, () => v1).join(',')}`,
    `{"t":${time},"v1":"${digest}"}`,
    `Bearer ${digest}`,
    '%74=1',
    '__proto__=1',
    'constructor=1,toString=2',
  ];
};

const NOISE = ['', ' ', ',', '=', '.', '-', '+', 'g', 'z', '\u00e9', '\u00ff', '"', ';', '\t'];

/** Headers that are malformed, each in another way, though their time and their digest are right. */
export function malformedSignatures(time: number, digest: string): string[] {
  const random = seeded(20_261_120);
  const pick = (bound: number) => Math.floor(random() * bound);
  const first = 't='.length;
  const good = `t=${time},v1=${digest}`;
  const generated = Array.from({ length: 400 }, () => {
    // Something takes the place of one to three characters of the time or the digest.
    const noise = NOISE[pick(NOISE.length)] ?? '';
    const inTime = pick(4) === 0;
    const start = inTime ? first + pick(String(time).length - 3) : good.length - 4 - pick(56);
    return good.slice(0, start) + noise + good.slice(start + 1 + pick(3));
  });
  // A time that has lost some digits is well formed, and stale.
  const malformed = generated.filter((one) => !/^t=[1-9]\d*,v1=[\da-f]{64}$/i.test(one));
  return [...new Set([...BY_HAND(time, digest), ...malformed])];
}
