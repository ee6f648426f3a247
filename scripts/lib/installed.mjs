// installed.mjs CHECKOUT: succeeds when node_modules holds exactly what package-lock.json asks for.
// npm keeps the list of what it installed in node_modules/.package-lock.json; an interrupted install leaves none.
import { readFileSync } from 'node:fs';

const packagesOf = (file) => JSON.parse(readFileSync(`${process.argv[2]}/${file}`, 'utf8')).packages;

function isInstalled() {
  const wanted = Object.entries(packagesOf('package-lock.json'));
  const present = packagesOf('node_modules/.package-lock.json');
  // Optional packages of other platforms are in the lock file only; the checkout itself is "".
  return wanted.every(
    ([path, { version, optional, link }]) =>
      !path.startsWith('node_modules/') || link || (path in present ? present[path].version === version : optional),
  );
}

try {
  process.exitCode = isInstalled() ? 0 : 1;
} catch {
  process.exitCode = 1;
}
