import { fault, info, ok, type Verdict, warning } from './finding.js';

/** What is read off the machine and its database, judged. */

const WARNING_OFFSET_S = 30;
const FAULT_OFFSET_S = 300;
const SET_CLOCK = 'keep both clocks by NTP, for instance with chrony';

/** @param offsetMs how far the other clock is ahead of ours */
export function judgeClock(offsetMs: number): Verdict {
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  if (seconds < WARNING_OFFSET_S) return ok(`${seconds} s apart from the clock here`);
  const detail = `${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} the clock here: tokens and TURN credentials end at the wrong time`;
  return seconds < FAULT_OFFSET_S ? warning(detail, SET_CLOCK) : fault(detail, SET_CLOCK);
}

export interface Disk {
  bytes: number;
  freeBytes: number;
  files: number;
  freeFiles: number;
}

const GIGABYTE = 1e9;
const WARNING_BYTES = 2 * GIGABYTE;
const FAULT_BYTES = GIGABYTE / 4;
const WARNING_SHARE = 0.1;
const FAULT_SHARE = 0.02;
const MAKE_ROOM =
  'make room: uploads are in ejabberd/run/upload, logs in log; or move the state directory to a larger disk';

/** Room in bytes, whatever the size of the disk, and in files, of which a file system has a fixed number. */
export function judgeDisk({ bytes, freeBytes, files, freeFiles }: Disk): Verdict {
  const free = `${(freeBytes / GIGABYTE).toFixed(1)} GB of ${(bytes / GIGABYTE).toFixed(1)} GB are free`;
  // Some file systems make room for files as they go, and count none.
  const share = files > 0 ? freeFiles / files : 1;
  const detail = share < WARNING_SHARE ? `${free}, and ${Math.round(share * 100)} % of its files (inodes)` : free;
  if (freeBytes < FAULT_BYTES || share < FAULT_SHARE) {
    return fault(`only ${detail}: the servers stop when it is full`, MAKE_ROOM);
  }
  return freeBytes < WARNING_BYTES || share < WARNING_SHARE ? warning(`only ${detail}`, MAKE_ROOM) : ok(detail);
}

/** @param applied versions in the database, undefined when it has no list that we may read @param known those of this checkout */
export function judgeMigrations(applied: readonly string[] | undefined, known: readonly string[]): Verdict {
  const missing = known.filter((version) => !applied?.includes(version));
  if (missing.length > 0) {
    return fault(`${missing.length} migrations are missing, from ${missing[0]} on: requests fail`, 'run scripts/up.sh');
  }
  const foreign = (applied ?? []).filter((version) => !known.includes(version));
  if (foreign.length === 0) return ok(`all ${known.length} migrations have run`);
  return warning(
    `the database has ${foreign.length} migrations that this version does not know: it is older than the database`,
    'go back to the newer version',
  );
}

export interface SecretFile {
  file: string;
  /** As of stat(2). */
  mode: number;
}

/** A secret is for its owner, and for the group that is lent it; nobody else reads it, and nobody but the owner writes. */
export function judgeSecretFiles(files: readonly SecretFile[]): Verdict {
  const open = files.filter(({ mode }) => (mode & 0o027) !== 0).map(({ file }) => file);
  if (files.length === 0) return info('no files of secrets can be seen here');
  if (open.length === 0) return ok(`${files.length} files, closed to others`);
  const remedy =
    'chmod o-rwx,g-w these files, then replace the secrets: others may have read them (docs/operations.md)';
  return fault(`others may read or change ${open.join(', ')}`, remedy);
}

/** Oldest versions that may face the Internet: those before have the holes that SECURITY.md names. */
const FLOORS: Readonly<Record<string, string>> = {
  ejabberd: '26.07',
  kamailio: '6.0',
  coturn: '4.17',
  rtpengine: '12.5.1.46',
};

/** @param isPublic whether clients reach the deployment from the Internet */
export function judgeVersion(server: string, version: string | undefined, isPublic: boolean): Verdict {
  const floor = FLOORS[server] ?? '0';
  if (!version) return info('its version can not be seen from here');
  if (!isOlder(version, floor)) return ok(version);
  const detail = `${version} has known holes`;
  if (!isPublic) return info(`${detail} and is for loopback and private networks only (SECURITY.md)`);
  return warning(`${detail}, and this deployment is public`, `install ${server} ${floor} or newer (SECURITY.md)`);
}

/** Compares number by number: 4.6 is older than 4.17. */
export function isOlder(version: string, floor: string): boolean {
  const [mine, least] = [version, floor].map((text) => text.split(/[.-]/).map(Number)) as [number[], number[]];
  for (const [index, wanted] of least.entries()) {
    const given = mine[index] || 0;
    if (given !== wanted) return given < wanted;
  }
  return false;
}
