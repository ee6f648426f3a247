import { execFile } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { descendants, type Server, serverPids } from '../support/host.js';
import { platform } from '../support/platform.js';

const run = promisify(execFile);

/** Something that befalls a server. */
export interface Fault {
  what: string;
  server: Server;
  /** Whether it is told beforehand, so that no request need fail. */
  announced?: boolean;
  /** Resolves when it is over; what the server then needs to be itself again is its recovery. */
  inflict(): Promise<void>;
}

/** The server's first process is gone from one moment to the next. Its supervisor starts it again. */
export const kill = (server: Server): Fault => ({
  what: `kill -9 ${server}`,
  server,
  inflict: async () => void process.kill((await serverPids())[server], 'SIGKILL'),
});

/** One of the server's processes that is not the first. */
export const killChild = (server: Server, name: RegExp): Fault => ({
  what: `kill -9 of a part of ${server}`,
  server,
  inflict: async () => {
    const parts = descendants((await serverPids())[server]).filter(({ commandLine }) => name.test(commandLine));
    if (parts.length === 0) throw new Error(`${server} has no part like ${name}`);
    process.kill(parts[0]!.pid, 'SIGKILL');
  },
});

/** All of the server's processes stand still: its connections stay, and nobody answers on them. */
export const freeze = (server: Server, ms: number): Fault => ({
  what: `freeze ${server} for ${ms / 1000} s`,
  server,
  inflict: async () => {
    const first = (await serverPids())[server];
    const frozen = new Set<number>();
    try {
      for (let pids = [first]; pids.length > 0; pids = family(first).filter((pid) => !frozen.has(pid))) {
        for (const pid of pids) signal(pid, 'SIGSTOP', frozen);
      }
      await delay(ms);
    } finally {
      for (const pid of frozen) signal(pid, 'SIGCONT', new Set());
    }
  },
});

/** The server is asked to end, and another takes its place. */
export const restart = (server: Server): Fault => ({
  what: `restart ${server}`,
  server,
  announced: true,
  inflict: async () => {
    const configuration = path.join(platform.directory, 'etc', 'supervisord.conf');
    await run('/usr/bin/supervisorctl', ['-c', configuration, 'restart', server]);
  },
});

/** The first processes of all servers are gone in one moment. Watched is the API. */
export const killAll: Fault = {
  what: 'kill -9 of every server at once',
  server: 'api',
  inflict: async () => {
    for (const pid of Object.values(await serverPids())) process.kill(pid, 'SIGKILL');
  },
};

const family = (first: number): number[] => [first, ...descendants(first).map(({ pid }) => pid)];

function signal(pid: number, name: NodeJS.Signals, done: Set<number>): void {
  done.add(pid);
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}
