import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { apiClient, registerAccount } from '../support/api.js';
import {
  answers,
  descendants,
  processes,
  SERVER_USERS,
  SERVERS,
  type Server,
  script,
  serverPids,
  stateFile,
  stateFiles,
  stopServer,
  succeedsAs,
  supervisorPid,
} from '../support/host.js';
import { platform } from '../support/platform.js';
import { until } from '../support/wait.js';

const readiness = async () =>
  (await apiClient().get(`http://${platform.host}:${platform.ports.api}/health/ready`)).data;

/** The platform does its work again: an account goes through the API, PostgreSQL, ejabberd and Kamailio's table. */
async function worksAgain(): Promise<void> {
  await until('every neighbour is up', async () => (await readiness()).status === 'ready');
  await until('an account can be registered', () => registerAccount());
}

describe('the processes of the platform', () => {
  it('runs no server as root, and each as the user that owns its directory', async () => {
    const pids = await serverPids();
    for (const server of SERVERS) {
      const family = [pids[server], ...descendants(pids[server]).map(({ pid }) => pid)];
      const users = new Set(
        processes()
          .filter(({ pid }) => family.includes(pid))
          .map(({ uid }) => uid),
      );
      expect([server, [...users]]).toEqual([server, [uidOf(SERVER_USERS[server])]]);
    }
    expect(descendants(supervisorPid()).filter(({ uid }) => uid === 0)).toEqual([]);
  });

  it.each(SERVERS)('brings %s back after kill -9', async (server) => {
    const killed = (await serverPids())[server];
    process.kill(killed, 'SIGKILL');
    await until(`${server} has another process`, async () => ![0, killed].includes((await serverPids())[server]));
    await until(`${server} answers`, () => answers(server));
    await worksAgain();
  });

  it('comes back from up.sh after kill -9 of supervisord, whose servers it left behind', async () => {
    const left = Object.values(await serverPids());
    process.kill(supervisorPid(), 'SIGKILL');
    expect(await script('up.sh')).toMatchObject({ status: 0, stderr: '' });
    expect(processes().filter(({ pid }) => left.includes(pid))).toEqual([]);
    await worksAgain();
  });

  it('comes back from up.sh after a power cut, though its pid files name other processes by then', async () => {
    const { username, password } = await registerAccount();
    const all = [supervisorPid(), ...descendants(supervisorPid()).map(({ pid }) => pid)];
    // Some end with their parents before their turn comes.
    spawnSync('kill', ['-KILL', ...all.map(String)]);
    await until('everything has ended', () => !processes().some(({ pid }) => all.includes(pid)));
    for (const name of ['run/supervisord.pid', 'postgres/run/data/postmaster.pid']) {
      const [, ...rest] = stateFile(name).split('\n');
      writeFileSync(path.join(platform.directory, name), [process.pid, ...rest].join('\n'));
    }
    expect(await script('up.sh')).toMatchObject({ status: 0, stderr: '' });
    expect((await apiClient().post('/account/login', { username, password })).status).toBe(200);
  });

  it('stops with down.sh, as often as that is run, and starts again with all that it knew', async () => {
    const { username, password } = await registerAccount();
    const started = [...descendants(supervisorPid()).map(({ pid }) => pid), supervisorPid()];
    expect(await script('down.sh')).toMatchObject({ status: 0, stderr: '' });
    expect(processes().filter(({ pid }) => started.includes(pid))).toEqual([]);
    expect(await script('down.sh')).toMatchObject({ status: 0, stderr: '' });
    expect(await script('up.sh')).toMatchObject({ status: 0, stderr: '' });
    expect((await apiClient().post('/account/login', { username, password })).status).toBe(200);
  });
});

describe('a second up.sh', () => {
  it('changes nothing', async () => {
    const before = [supervisorPid(), await serverPids(), fingerprint()];
    const { status, stdout } = await script('up.sh');
    expect(status).toBe(0);
    for (const server of SERVERS) expect(stdout).toMatch(new RegExp(`^${server} .* answers +\\d`, 'm'));
    expect([supervisorPid(), await serverPids(), fingerprint()]).toEqual(before);
  });

  it('is done when the API has every server, also one that was away for a while', async () => {
    await stopServer('ejabberd');
    // So long that the API asks for it as seldom as it ever does.
    await delay(5000);
    expect(await script('up.sh')).toMatchObject({ status: 0, stderr: '' });
    expect(await readiness()).toMatchObject({ status: 'ready' });
  });

  it('restarts what a changed setting concerns, and nothing else', async () => {
    const before = await serverPids();
    const port = await freePort();
    expect(await script('up.sh', { TURN_TLS_PORT: String(port) })).toMatchObject({ status: 0 });
    const changed = await serverPids();
    // It stands in coturn's configuration and in the URIs that the API and ejabberd hand out.
    expect(SERVERS.filter((server) => changed[server] !== before[server])).toEqual(['ejabberd', 'coturn', 'api']);
    expect(await script('up.sh')).toMatchObject({ status: 0 });
    await worksAgain();
  });

  it('names a port that is taken, the setting and who holds it, and starts nothing', async () => {
    const before = await serverPids();
    const holder = createServer().listen(0, platform.host);
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const refused = await script('up.sh', { API_PORT: String(port) });
    holder.close();
    expect(refused.status).toBe(1);
    expect(refused.stdout).toBe('');
    expect(refused.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(`^Port ${port}/tcp on ${platform.host} is taken by .* \\(pid ${process.pid}\\).* API_PORT`),
    ]);
    expect(await serverPids()).toEqual(before);
  });
});

describe('a name that is fixed natively', () => {
  it.each(['DB_NAME', 'DB_USER', 'DB_MIGRATE_USER', 'INTERNAL_ADDRESS'])('is refused as another %s', async (name) => {
    const refused = await script('up.sh', { [name]: 'other' });
    expect(refused).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(`^${name}=other .*\n$`) });
  });
});

describe('the directories of the servers', () => {
  it('belong to root, but for the one that its server writes in', () => {
    const uids = SERVERS.map((server) => {
      const directory = path.join(platform.directory, server);
      const entries = ['.', ...readdirSync(directory)].sort();
      return [server, entries.map((entry) => [entry, statSync(path.join(directory, entry)).uid])];
    });
    const expected = (server: Server) => [
      ['.', 0],
      ['run', uidOf(SERVER_USERS[server])],
      ['secrets', 0],
      ['tls', 0],
    ];
    expect(uids).toEqual(SERVERS.map((server) => [server, expected(server)]));
  });

  it('give no server a way to have up.sh write elsewhere', async () => {
    const victim = mkdtempSync(path.join(tmpdir(), 'veil-victim-'));
    writeFileSync(path.join(victim, 'ca.crt'), 'of root', { mode: 0o600 });
    const state = () =>
      [victim, path.join(victim, 'ca.crt')].map((file) => {
        const { uid, gid, mode, ctimeMs } = statSync(file);
        return { file, uid, gid, mode, ctimeMs };
      });
    const before = state();
    const plant = async (server: Server, ...place: string[]) => {
      const link = path.join(platform.directory, server, ...place);
      return (await succeedsAs(server, 'ln', '-sfn', victim, link)) ? [link] : [];
    };
    const links: string[] = [];
    for (const server of SERVERS) {
      for (const place of [['planted'], ['tls', 'planted'], ['secrets', 'planted']]) {
        expect(await plant(server, ...place)).toEqual([]);
      }
      for (const name of ['tls', 'secrets', 'prepared', 'data.new']) links.push(...(await plant(server, 'run', name)));
    }
    expect(links).toHaveLength(4 * SERVERS.length);
    expect(await script('up.sh')).toMatchObject({ status: 0, stderr: '' });
    expect(state()).toEqual(before);
    for (const link of links) rmSync(link);
    rmSync(victim, { recursive: true });
  });
});

describe('the secrets of the platform', () => {
  const secretNames = stateFiles('secrets').map(({ name }) => name);
  const secrets = secretNames.map((name) => stateFile(name));

  it('are generated, each different and without a line break', () => {
    expect(secretNames.length).toBeGreaterThanOrEqual(8);
    expect(new Set(secrets).size).toBe(secrets.length);
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{64}$/);
  });

  it('are readable by root only, like the private keys; their copies by the server that uses them', () => {
    const keys = stateFiles('tls').filter(({ name }) => /\.(key|pem)$/.test(name));
    expect(keys.length).toBe(3);
    expect([...stateFiles('secrets'), ...keys].filter(({ mode }) => mode !== 0o600)).toEqual([]);
    const copies = SERVERS.flatMap((server) => [...stateFiles(`${server}/secrets`), ...stateFiles(`${server}/tls`)]);
    expect(copies.length).toBeGreaterThan(SERVERS.length);
    expect(copies.filter(({ mode }) => mode !== 0o440)).toEqual([]);
  });

  it.each([
    ['/nonexistent', "can't be read"],
    ['/dev/null', 'is empty'],
  ])('stay as they are when the file that one is brought in is %s', async (file, complaint) => {
    const before = fingerprint();
    const refused = await script('up.sh', { JWT_SECRET_FILE: file });
    expect(refused).toEqual({ status: 1, stdout: '', stderr: `JWT_SECRET_FILE=${file} ${complaint}\n` });
    expect(fingerprint()).toEqual(before);
  });

  it('stand in no command line, in no settings and in no log', () => {
    const places = [
      ...processes().map(({ pid, commandLine }) => ({ name: `/proc/${pid}/cmdline`, text: commandLine })),
      ...[...stateFiles('log'), ...stateFiles('ejabberd/run/log')].map(({ name }) => ({ name, text: stateFile(name) })),
      ...['etc/settings.env', 'etc/supervisord.conf'].map((name) => ({ name, text: stateFile(name) })),
    ];
    expect(places.length).toBeGreaterThan(SERVERS.length);
    const leaks = places.filter(({ text }) => secrets.some((secret) => text.includes(secret)));
    expect(leaks.map(({ name }) => name)).toEqual([]);
  });
});

const uidOf = (user: string): number =>
  Number(new RegExp(`^${user}:[^:]*:(\\d+):`, 'm').exec(readFileSync('/etc/passwd', 'utf8'))?.[1]);

/** What up.sh writes: settings, secrets and certificates. */
function fingerprint(): Record<string, string> {
  const files = ['etc', 'secrets', 'tls'].flatMap((part) => stateFiles(part));
  return Object.fromEntries(files.map(({ name }) => [name, stateFile(name)]));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, platform.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
