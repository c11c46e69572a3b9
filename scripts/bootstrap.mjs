// Runs before `npm start` and `npm test`, on whatever Node the machine has and with nothing installed:
// plain JavaScript, Node's own modules only.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process, { env, exit, stderr, stdout } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = [20, 19];
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const LOCK_FILE = join(ROOT, 'package-lock.json');
const INSTALLED_STAMP = join(MODULES, '.gatehouse-lock');
const SCHEMA_DIR = join(ROOT, 'packages/db/prisma/schema');
const GENERATED_DIR = join(ROOT, 'packages/db/src/generated');
const GENERATED_STAMP = join(GENERATED_DIR, '.schema-hash');
const STACK_DIR = join(ROOT, '.gatehouse');
const MUTEX = join(STACK_DIR, 'bootstrap.lock');
const HEARTBEAT_MS = 1000;
const STALE_MS = 15_000;
const SHOWN_LINES = 30;

/** A failure whose message is all there is to say. */
class BootstrapError extends Error {}

/** Makes the checkout ready to run: dependencies as in package-lock.json, the database client as in the schema. */
async function bootstrap() {
  checkNode();
  if (isInstalled() && isGenerated()) return;
  await alone(async () => {
    if (!isInstalled()) await install();
    if (!isGenerated()) await generate();
  });
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new BootstrapError(
    `Node ${process.versions.node} is too old: install Node ${OLDEST_NODE.join('.')} or newer`,
  );
}

function isInstalled() {
  const wanted = hash([LOCK_FILE]);
  if (read(INSTALLED_STAMP) === wanted) return true;
  if (!installedByNpm()) return false;
  writeFileSync(INSTALLED_STAMP, wanted);
  return true;
}

/** Whether somebody's `npm install` has left all that package-lock.json asks for: npm lists that in a hidden lock file. */
function installedByNpm() {
  const hidden = read(join(MODULES, '.package-lock.json'));
  if (hidden === null) return false;
  // There may be more: the package `node` installs its binary as a package of its own.
  const installed = JSON.parse(hidden).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(LOCK_FILE, 'utf8')).packages);
  return wanted.every(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return true;
    const found = installed[path];
    return found ? found.version === entry.version : entry.optional === true;
  });
}

async function install() {
  say('installing the dependencies with npm ci (takes a minute)');
  const began = Date.now();
  await npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(INSTALLED_STAMP, hash([LOCK_FILE]));
  say(`dependencies installed (${Math.round((Date.now() - began) / 1000)} s)`);
}

function isGenerated() {
  return read(GENERATED_STAMP) === schemaHash();
}

async function generate() {
  await npm(['run', '--silent', 'generate', '-w', '@gatehouse/db']);
  mkdirSync(GENERATED_DIR, { recursive: true });
  writeFileSync(GENERATED_STAMP, schemaHash());
}

/** Of the schema and of the generator. */
function schemaHash() {
  const files = readdirSync(SCHEMA_DIR)
    .filter((name) => name.endsWith('.prisma'))
    .sort()
    .map((name) => join(SCHEMA_DIR, name));
  return hash([...files, join(MODULES, 'prisma/package.json')]);
}

/**
 * The npm that runs this script, on the Node that runs it: the one in node_modules goes away during an installation.
 * Quiet, unless it fails.
 */
async function npm(args) {
  const cli = env.npm_execpath;
  const [command, first] = cli?.endsWith('.js')
    ? [env.npm_node_execpath ?? process.execPath, [cli]]
    : ['npm', []];
  const child = spawn(command, [...first, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const failure = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? null : `code ${code}`));
  });
  if (failure === null) return;
  const said = output.split('\n').slice(0, SHOWN_LINES).join('\n');
  throw new BootstrapError(`npm ${args[0]} failed (${failure})\n${said}`);
}

/** Runs `work` while no other bootstrap of this checkout does. */
async function alone(work) {
  // Postgres keeps its data beside it, as a user who has to pass through, whatever the umask.
  const made = mkdirSync(STACK_DIR, { recursive: true });
  if (made) chmodSync(STACK_DIR, 0o755);
  let waited = false;
  while (!take(MUTEX)) {
    if (!waited) say('waiting for another installation of this checkout to end');
    waited = true;
    await delay(200);
  }
  const heartbeat = setInterval(() => touch(MUTEX), HEARTBEAT_MS);
  const release = () => rmSync(MUTEX, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      release();
      exit(1);
    });
  }
  try {
    await work();
  } finally {
    clearInterval(heartbeat);
    release();
  }
}

/** Making a directory is atomic; one that nobody has touched for a while is of a process that was killed. */
function take(path) {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const touchedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (touchedAt !== undefined && Date.now() - touchedAt > STALE_MS) {
      rmSync(path, { recursive: true, force: true });
    }
    return false;
  }
}

function touch(path) {
  const now = new Date();
  if (existsSync(path)) utimesSync(path, now, now);
}

function hash(files) {
  const digest = createHash('sha256');
  for (const file of files) digest.update(`${file.slice(ROOT.length)}\0${read(file)}\0`);
  return digest.digest('hex');
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function say(line) {
  stdout.write(`${line}\n`);
}

try {
  await bootstrap();
} catch (error) {
  const expected = error instanceof BootstrapError;
  stderr.write(`gatehouse: ${expected ? error.message : error.stack}\n`);
  exit(1);
}
