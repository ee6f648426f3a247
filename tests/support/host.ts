import { type ExecFileException, execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import axios from 'axios';
import { checkout } from './checkout.js';
import { platform } from './platform.js';
import { until } from './wait.js';

/** The servers of the platform and the user that each must run as. */
export const SERVER_USERS = {
  postgres: 'postgres',
  ejabberd: 'ejabberd',
  rtpengine: 'rtpengine',
  kamailio: 'kamailio',
  coturn: 'turnserver',
  api: 'veil',
} as const;

export type Server = keyof typeof SERVER_USERS;

export const SERVERS = Object.keys(SERVER_USERS) as Server[];

const run = promisify(execFile);

export interface CommandResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** A verb of the command line on the platform under test. */
export const veil = (...verb: string[]): Promise<CommandResult> => script('veil.sh', {}, verb);

/** Runs a script of the checkout on the platform under test. Its exit status is no exception. */
export async function script(
  name: string,
  settings: NodeJS.ProcessEnv = {},
  words: readonly string[] = [],
): Promise<CommandResult> {
  const env = { ...process.env, ...settings };
  return run(path.join(checkout, 'scripts', name), words, { env }).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    (error: ExecFileException & { stdout: string; stderr: string }) => ({
      status: typeof error.code === 'number' ? error.code : -1,
      stdout: error.stdout,
      stderr: error.stderr,
    }),
  );
}

/** The pid of supervisord, the parent of every server. */
export const supervisorPid = (): number => Number(stateFile('run/supervisord.pid'));

/** The pid of each server, as supervisord knows it; 0 of one that does not run. */
export async function serverPids(): Promise<Record<Server, number>> {
  const { data } = await axios.post<string>(
    'http://localhost/RPC2',
    '<methodCall><methodName>supervisor.getAllProcessInfo</methodName></methodCall>',
    { socketPath: path.join(platform.directory, 'run', 'supervisor.sock'), headers: { 'content-type': 'text/xml' } },
  );
  const valuesOf = (name: string, type: string): string[] =>
    [...data.matchAll(new RegExp(`<name>${name}</name>\\s*<value><${type}>(.*?)</${type}>`, 'g'))].map(
      ([, value]) => value!,
    );
  const pids = valuesOf('pid', 'int').map(Number);
  return Object.fromEntries(valuesOf('name', 'string').map((name, index) => [name, pids[index]])) as Record<
    Server,
    number
  >;
}

const supervise = (verb: 'start' | 'stop', server: Server) =>
  run('/usr/bin/supervisorctl', ['-c', path.join(platform.directory, 'etc', 'supervisord.conf'), verb, server]);

/** It stays away until `startServer`. */
export async function stopServer(server: Server): Promise<void> {
  await supervise('stop', server);
}

/** Resolves when it answers. */
export async function startServer(server: Server): Promise<void> {
  await supervise('start', server);
  await until(`${server} answers again`, () => answers(server));
}

/** Stops a server, and starts it again after the work: it stays away meanwhile. */
export async function without<T>(server: Server, work: () => Promise<T>): Promise<T> {
  await stopServer(server);
  try {
    return await work();
  } finally {
    await startServer(server);
  }
}

/** Whether a server answers its own protocol: the health check of its folder. */
export const answers = (server: Server): Promise<boolean> =>
  succeedsAs(server, path.join(checkout, 'scripts', 'service.sh'), platform.directory, server, 'healthcheck');

/**
 * Whether a command succeeds as the user of a server, who may reach the checkout and the state only in the mount
 * namespace of supervisord.
 */
export async function succeedsAs(server: Server, ...command: string[]): Promise<boolean> {
  const user = SERVER_USERS[server];
  const asUser = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', ...command];
  return run('nsenter', [`--target=${supervisorPid()}`, '--mount', ...asUser]).then(
    () => true,
    () => false,
  );
}

export interface Process {
  pid: number;
  parent: number;
  uid: number;
  commandLine: string;
}

/** Every process of this machine. */
export function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => readProcess(pid) ?? []);
}

/** Null for a process that has ended, meanwhile or without its parent having noticed yet. */
function readProcess(pid: string): Process | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if (/^State:\s+Z/m.test(status)) return null;
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid: Number(pid), parent: field('PPid'), uid: field('Uid'), commandLine };
  } catch {
    return null;
  }
}

/** The processes below a process, at any depth. */
export function descendants(ancestor: number): Process[] {
  const all = processes();
  const below = (pid: number): Process[] =>
    all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...below(child.pid)]);
  return below(ancestor);
}

export const stateFile = (name: string): string => readFileSync(path.join(platform.directory, name), 'utf8');

/** The files of a part of the state directory, as paths below it, with their permissions. */
export function stateFiles(part: string): { name: string; mode: number }[] {
  const files = readdirSync(path.join(platform.directory, part), { recursive: true, encoding: 'utf8' });
  return files
    .map((file) => ({ name: path.join(part, file), stat: statSync(path.join(platform.directory, part, file)) }))
    .filter(({ stat }) => stat.isFile())
    .map(({ name, stat }) => ({ name, mode: stat.mode & 0o777 }));
}
