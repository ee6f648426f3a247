import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { registerAccount } from '../../support/api.js';
import { writeToVeil } from '../../support/databases.js';
import { OwnApi } from '../../support/own-api.js';
import { RawSocket } from './raw-socket.js';

/** Clock ticks of /proc/<pid>/stat a second. */
const TICKS = 100;

/** A process that forwards frames between devices: ours, or the bare library. */
export interface Target {
  readonly name: string;
  readonly pid: number;
  /** A device that is connected, and is about to be greeted. @param index which of the devices */
  open(index: number): Promise<RawSocket>;
  stop(): Promise<void>;
}

export const deviceName = (index: number): string => `bench-${index}`;

const connect = (port: number, index: number, headers: Record<string, string>): Promise<RawSocket> =>
  RawSocket.open(port, `/signal?device_id=${deviceName(index)}`, headers);

/** One API process, and an account that has so many devices: more than it might register. */
export async function ourTarget(devices: number): Promise<Target> {
  const [{ username, token }, api] = [await registerAccount('bench'), await OwnApi.start({})];
  await writeToVeil(async (sql) => {
    await sql`DELETE FROM devices WHERE id LIKE 'bench-%'`;
    await sql`
      INSERT INTO devices (id, account_id, kind, created_at)
      SELECT 'bench-' || n, a.id, 'desktop', now() FROM accounts a, generate_series(0, ${devices - 1}) AS n
      WHERE a.username = ${username}`;
  });
  const headers = { authorization: `Bearer ${token}` };
  return { name: 'ours', pid: api.pid, open: (index) => connect(api.port, index, headers), stop: () => api.stop() };
}

export async function bareTarget(): Promise<Target> {
  const child: ChildProcess = fork(fileURLToPath(new URL('bare-ws.js', import.meta.url)));
  const [port] = await once(child, 'message');
  const stop = async (): Promise<void> => {
    child.disconnect();
    await once(child, 'exit');
  };
  return { name: 'bare ws', pid: child.pid!, open: (index) => connect(port, index, {}), stop };
}

/** Seconds of processor time that a process has taken. */
export function cpuSeconds(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return (user! + system!) / TICKS;
}

/** Kilobytes of memory that a process holds. */
export const memoryKb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
