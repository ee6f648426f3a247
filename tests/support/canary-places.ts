import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Canaries } from './canaries.js';
import { findInDatabases } from './databases.js';
import { descendants, supervisorPid } from './host.js';
import { platform } from './platform.js';

/** Where a canary was found: a file, a column or a process, and what it stands for. */
export interface Sighting {
  place: string;
  names: string[];
  /** Of a log: the first of the lines. */
  lines?: string[];
}

/** Tables are searched as tables; secrets and certificates are where they belong. */
const NOT_SEARCHED = /^(postgres\/run\/data|secrets|tls|\w+\/(secrets|tls))\//;

/** Rendered from templates and secrets, for the server alone whose they are. */
export const CONFIGURATION = /^\w+\/run\/etc\//;

/** Files that only grow, with their length at a moment: what they had before holds no canary of later. */
export type Lengths = ReadonlyMap<string, number>;

const filesOfState = (): string[] =>
  readdirSync(platform.directory, { recursive: true, encoding: 'utf8' }).filter(
    (file) => !NOT_SEARCHED.test(file) && isFile(path.join(platform.directory, file)),
  );

/** How long each log is now. */
export function lengthsOfLogs(): Lengths {
  const logs = filesOfState().filter((file) => file.endsWith('.log'));
  return new Map(logs.map((file) => [file, statSync(path.join(platform.directory, file)).size]));
}

/** Looks into every file of the state directory: logs, crash dumps, whatever a server has left there. */
export async function searchFiles(canaries: Canaries, lengths: Lengths = new Map()): Promise<Sighting[]> {
  const sightings: Sighting[] = [];
  for (const file of filesOfState()) {
    const content = await contentOf(path.join(platform.directory, file), lengths.get(file) ?? 0);
    const names = canaries.namesIn(content);
    if (names.length > 0) sightings.push({ place: file, names, lines: canaries.linesWith(content) });
  }
  return sightings;
}

/** Looks into every column of every table of both databases; the places are `table.column`. */
export async function searchDatabases(canaries: Canaries): Promise<Sighting[]> {
  const found = new Map<string, Set<string>>();
  for (const { table, row } of await findInDatabases(...canaries.signs)) {
    const columns = Object.entries(row).map(([column, value]) => [column, canaries.namesIn(textOf(value))] as const);
    const holding = columns.filter(([, names]) => names.length > 0);
    for (const [column, names] of holding.length > 0 ? holding : [['?', ['a part of one']] as const]) {
      const place = `${table}.${column}`;
      found.set(place, new Set([...(found.get(place) ?? []), ...names]));
    }
  }
  return [...found].map(([place, names]) => ({ place, names: [...names].sort() })).sort(byPlace);
}

/** Looks into the command line and the environment of every process of the platform; places are `program cmdline`. */
export function searchProcesses(canaries: Canaries): Sighting[] {
  return [supervisorPid(), ...descendants(supervisorPid()).map(({ pid }) => pid)].flatMap((pid) =>
    ['cmdline', 'environ'].flatMap((part) => {
      const names = canaries.namesIn(ofProcess(pid, part));
      return names.length > 0 ? [{ place: `${ofProcess(pid, 'comm').trim()} ${part}`, names }] : [];
    }),
  );
}

/** The programs of the platform that would leave their memory in a file when they crash. */
export function programsThatDumpCore(): string[] {
  const pids = descendants(supervisorPid()).map(({ pid }) => pid);
  const dump = pids.filter((pid) => /^Max core file size\s+[^\s0]/m.test(ofProcess(pid, 'limits')));
  return [...new Set(dump.map((pid) => ofProcess(pid, 'comm').trim()))];
}

const byPlace = (one: Sighting, other: Sighting): number => one.place.localeCompare(other.place);

const textOf = (value: unknown): string =>
  Buffer.isBuffer(value) ? `${value.toString('latin1')}\n${value.toString('hex')}` : JSON.stringify(value ?? '');

/** One character a byte. A file that went away meanwhile holds nothing. */
const contentOf = (file: string, start: number): Promise<string> =>
  text(createReadStream(file, { start, encoding: 'latin1' })).catch(() => '');

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Empty for a process that has ended. */
function ofProcess(pid: number, part: string): string {
  try {
    return readFileSync(`/proc/${pid}/${part}`, 'latin1');
  } catch {
    return '';
  }
}
