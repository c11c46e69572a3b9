// `node scripts/complete-lock.mjs`, after a change of dependencies.
//
// npm leaves optional platform packages that the registry at hand does not serve out of the lock file, and then
// `npm ci` fails with "Missing: … from lock file". This adds them back, as npm would have written them.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = { windows: 'win32' };
for (const os of ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'])
  SYSTEMS[os] = os;

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const added = [];
for (const [path, owner] of Object.entries(lock.packages)) {
  if (!path.includes('node_modules')) continue;
  for (const [name, range] of Object.entries(owner.optionalDependencies ?? {})) {
    const places = [`${path}/node_modules/${name}`, `node_modules/${name}`];
    const parts = name.split('/').at(-1).split('-');
    const system = parts.findIndex((part) => part in SYSTEMS);
    if (system === -1 || places.some((place) => place in lock.packages)) continue;
    const cpu = parts[system + 1];
    lock.packages[`node_modules/${name}`] = {
      version: range.replace(/^[\^~]/, ''),
      cpu: [cpu === '64' ? 'x64' : cpu],
      ...(owner.dev && { dev: true }),
      ...(owner.license && { license: owner.license }),
      optional: true,
      os: [SYSTEMS[parts[system]]],
      ...(parts.includes('musl') && { libc: ['musl'] }),
    };
    added.push(name);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'the lock file is complete' : `added ${added.join(' ')}`);
