import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { assertAllowedTarget } from '../src/guard.ts';
import { createResolve } from '../src/resolve.ts';

const TYPES = { A: 1, CNAME: 5, AAAA: 28 } as const;
interface DnsRecord {
  type: keyof typeof TYPES;
  data: Buffer;
}

const a = (address: string): DnsRecord => ({
  type: 'A',
  data: Buffer.from(address.split('.').map(Number)),
});
const aaaa = (hex: string): DnsRecord => ({ type: 'AAAA', data: Buffer.from(hex, 'hex') });
const wireName = (name: string) =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);

const PUBLIC_IPV6 = '26064700000000000000000000001111';
/** What name servers say of a name that they do not know, and when they could not find out. */
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;

/** The system's own sources read these as addresses, and ask nobody. */
const KNOWN_HERE = '0x7f.0.0.1';
const KNOWN_HERE_ALONE = '0x7f.0.0.2';

/** What the name server knows. Of `silent.example`, `localhost` and IPv6 addresses under `drops6` it never says anything. */
const ZONE: Record<string, DnsRecord[]> = {
  'both.example': [a('1.1.1.1'), a('1.0.0.1'), aaaa(PUBLIC_IPV6)],
  'six.example': [aaaa(PUBLIC_IPV6)],
  'drops6.example': [a('1.1.1.1')],
  'inside.drops6.example': [a('10.0.0.1')],
  'mixed.example': [a('1.1.1.1'), aaaa('00000000000000000000000000000001')],
  'alias.example': [{ type: 'CNAME', data: wireName('inside.example') }, a('10.0.0.1')],
};

/** A name server on loopback, that answers with the records of the zone, of the type that is asked for; a dead one never. */
async function nameServer({ isDead = false } = {}): Promise<string[]> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    if (isDead) return;
    const labels: string[] = [];
    let at = 12;
    while (query[at]) {
      const length = query.readUInt8(at);
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const asked = query.readUInt16BE(at + 1);
    const question = query.subarray(12, at + 5);
    const name = labels.join('.').toLowerCase();
    if (name === 'silent.example' || name === 'localhost') return;
    if (name.endsWith('drops6.example') && asked === TYPES.AAAA) return;
    const isAlias = ZONE[name]?.some(({ type }) => type === 'CNAME');
    const records = (ZONE[name] ?? []).filter(
      ({ type }) => TYPES[type] === asked || type === 'CNAME',
    );
    const answers = records.map(({ type, data }) => {
      const isTarget = isAlias && type !== 'CNAME';
      const fixed = Buffer.alloc(10);
      fixed.writeUInt16BE(TYPES[type], 0);
      fixed.writeUInt16BE(1, 2);
      fixed.writeUInt16BE(data.length, 8);
      return Buffer.concat([
        isTarget ? wireName('inside.example') : Buffer.from([0xc0, 12]),
        fixed,
        data,
      ]);
    });
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // An answer, with recursion; name error when the name is not there.
    const failure = name === KNOWN_HERE ? SERVER_FAILURE : NAME_ERROR;
    header.writeUInt16BE(0x8180 | (name in ZONE ? 0 : failure), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    socket.send(Buffer.concat([header, question, ...answers]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => {
    socket.close();
  });
  return [`127.0.0.1:${socket.address().port}`];
}

it('tells all addresses of a name, of both families', async () => {
  const resolve = createResolve(await nameServer());
  expect(await resolve('both.example')).toEqual(['1.1.1.1', '1.0.0.1', '2606:4700::1111']);
  expect(await resolve('six.example')).toEqual(['2606:4700::1111']);
});

it('follows an alias to where it leads', async () => {
  expect(await createResolve(await nameServer())('alias.example')).toEqual(['10.0.0.1']);
});

it('asks this machine alone for its own names', async () => {
  const resolve = createResolve(await nameServer());
  expect(await resolve('localhost')).toContain('127.0.0.1');
});

it('waits for no name server that answers for one family of addresses only, and checks what came', async () => {
  const resolve = createResolve(await nameServer());
  const before = performance.now();
  expect(await resolve('drops6.example')).toEqual(['1.1.1.1']);
  expect(performance.now() - before).toBeLessThan(2_000);
  const rules = { allowPrivate: false, allowHttp: false };
  const target = assertAllowedTarget('https://inside.drops6.example/', rules, resolve);
  await expect(target).rejects.toThrow('not a public one');
});

it('asks the second name server where the first is dead', async () => {
  const servers = [...(await nameServer({ isDead: true })), ...(await nameServer())];
  expect(await createResolve(servers)('both.example')).toHaveLength(3);
});

it('gives up after three seconds, however many name servers are dead', async () => {
  const dead = () => nameServer({ isDead: true });
  const servers = [...(await dead()), ...(await dead()), ...(await dead())];
  const before = performance.now();
  await expect(createResolve(servers)('both.example')).rejects.toThrow('do not answer');
  // Asking each of them twice would take 7.2 seconds.
  expect(performance.now() - before).toBeLessThan(6_000);
});

it('asks the system for what the DNS does not know, and not for what that could not find out', async () => {
  const resolve = createResolve(await nameServer());
  expect(await resolve(KNOWN_HERE_ALONE)).toContain('127.0.0.2');
  await expect(resolve(KNOWN_HERE)).rejects.toThrow('do not answer');
});

it('rejects for a name that is not there, and for one whose servers are silent, in time', async () => {
  const resolve = createResolve(await nameServer());
  await expect(resolve('missing.example')).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  await expect(resolve('silent.example')).rejects.toThrow('do not answer');
});

it('gives the guard what it needs to refuse a name', async () => {
  const resolve = createResolve(await nameServer());
  const rules = { allowPrivate: false, allowHttp: false };
  const target = (host: string) => assertAllowedTarget(`https://${host}/`, rules, resolve);
  expect((await target('both.example')).host).toBe('both.example');
  await expect(target('mixed.example')).rejects.toThrow('not a public one');
  await expect(target('alias.example')).rejects.toThrow('not a public one');
  // Within two seconds, and looked at again when it is called.
  expect((await target('silent.example')).host).toBe('silent.example');
  expect((await target('missing.example')).host).toBe('missing.example');
});
