import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The containers of docker-compose.yml, as the engine knows them. Which project it is compose learns from the environment. */

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

export async function docker(...words: string[]): Promise<string> {
  const { stdout, stderr } = await run('docker', words, { cwd: checkout, maxBuffer: 64 * 1024 * 1024 });
  return stdout || stderr;
}

export const compose = (...words: string[]): Promise<string> => docker('compose', ...words);

export interface Container {
  Id: string;
  State: { Pid: number; Status: string; ExitCode: number; StartedAt: string; Health?: { Status: string } };
  Config: { User: string; Env: string[]; Labels: Record<string, string> };
}

/** Those of a service, or all; the ones that have ended too. */
export async function containers(...services: string[]): Promise<Container[]> {
  const ids = (await compose('ps', '--all', '--quiet', ...services)).trim().split('\n');
  return JSON.parse(await docker('inspect', ...ids)) as Container[];
}

export const serviceOf = ({ Config }: Container): string => Config.Labels['com.docker.compose.service'] ?? '';

/** Whether the server in a container answers its own protocol, without waiting until the engine asks. */
export const answers = (container: Container, service: string): Promise<boolean> =>
  docker('exec', container.Id, '/opt/veil/scripts/service.sh', '/var/lib/veil', service, 'healthcheck').then(
    () => true,
    () => false,
  );

/** What the kernel says of each process in a container; of one that has ended meanwhile, nothing. */
export async function processesOf({ Id }: Container): Promise<{ pid: number; status: string }[]> {
  const rows = (await docker('top', Id, '-o', 'pid')).trim().split('\n').slice(1);
  return rows.map(Number).flatMap((pid) => {
    try {
      return [{ pid, status: readFileSync(path.join('/proc', String(pid), 'status'), 'utf8') }];
    } catch {
      return [];
    }
  });
}

/** The server itself: the child of the init. A health check that runs at the moment is none. */
export async function serverOf(container: Container): Promise<number> {
  const parent = new RegExp(`^PPid:\\t${container.State.Pid}$`, 'm');
  const server = (await processesOf(container)).find(({ status }) => parent.test(status));
  if (!server) throw new Error(`no server runs in ${serviceOf(container)}`);
  return server.pid;
}

/** The parts of `docker compose config` that are looked at. */
export interface Service {
  read_only?: boolean;
  privileged?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  restart?: string;
  mem_limit?: string;
  pids_limit?: number;
  init?: boolean;
  ulimits?: Record<string, unknown>;
  network_mode?: string;
  networks?: Record<string, unknown>;
  ports?: { target: number; published: string; protocol: string; host_ip?: string }[];
  volumes?: { source: string; target: string; type: string; read_only?: boolean }[];
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  logging?: { options: Record<string, string> };
}

export interface Project {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
}

/** With the services of some profiles besides those that run: what is named here replaces what the environment names. */
export async function project(...profiles: string[]): Promise<Project> {
  const active = process.env.COMPOSE_PROFILES?.split(',') ?? [];
  const options = [...active, ...profiles].flatMap((profile) => ['--profile', profile]);
  return JSON.parse(await compose(...options, 'config', '--format', 'json')) as Project;
}
