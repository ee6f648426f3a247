// installed.mjs CHECKOUT: succeeds when node_modules holds exactly what package-lock.json asks for.
// npm keeps the list of what it installed in node_modules/.package-lock.json; an interrupted install leaves none.
import { existsSync, readFileSync } from 'node:fs';

const at = (path) => `${process.argv[2]}/${path}`;
const packagesOf = (file) => JSON.parse(readFileSync(at(file), 'utf8')).packages;

function isInstalled() {
  const wanted = Object.entries(packagesOf('package-lock.json'));
  const present = packagesOf('node_modules/.package-lock.json');
  return wanted.every(([path, { version, optional, link }]) => {
    // The lock file also lists the checkout's own workspaces, and optional packages of other platforms.
    if (!path.includes('node_modules/') || link) return true;
    return path in present ? present[path].version === version && existsSync(at(path)) : optional;
  });
}

try {
  process.exitCode = isInstalled() ? 0 : 1;
} catch {
  process.exitCode = 1;
}
