// complete-lockfile.mjs [--check]: adds to package-lock.json the binaries of other platforms that npm left out because
// the registry it ran against doesn't have them. `npm ci` refuses a lock file without them. Run it after every change
// of the dependencies; --check changes nothing and fails when something is missing.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/** Whether Node would find `name` when the package at `path` asks for it. */
function isFound(packages, path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    if (`${at}${at && '/'}node_modules/${name}` in packages) return true;
    if (at === '') return false;
  }
}

/** What npm writes for a package of another platform, as far as its name tells. */
function placeholder(name, version, parent) {
  const words = name.split(/[-/]/);
  const wordOf = (list) => words.filter((word) => list.includes(word));
  const [os, cpu] = [wordOf(SYSTEMS), wordOf(PROCESSORS)];
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`${name}: its name does not tell one system and processor`);
  const libc = words.some((word) => word.startsWith('musl')) ? { libc: ['musl'] } : {};
  return { version, cpu, ...(parent.dev && { dev: true }), ...libc, optional: true, os };
}

function missingPackages(packages) {
  const missing = {};
  for (const [path, parent] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      if (!isFound(packages, path, name)) missing[`node_modules/${name}`] = placeholder(name, version, parent);
    }
  }
  return missing;
}

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const missing = missingPackages(lock.packages);
const names = Object.keys(missing);
if (process.argv.includes('--check')) {
  if (names.length > 0)
    console.error(`package-lock.json lacks ${names.join(', ')}: run node scripts/complete-lockfile.mjs`);
  process.exitCode = names.length > 0 ? 1 : 0;
} else if (names.length > 0) {
  const entries = Object.entries({ ...lock.packages, ...missing });
  lock.packages = Object.fromEntries(entries.sort(([one], [other]) => one.localeCompare(other, 'en')));
  writeFileSync(FILE, `${JSON.stringify(lock, undefined, 2)}\n`);
}
