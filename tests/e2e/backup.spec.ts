/**
 * Backup and restore: what people had when the backup was made is there again where nothing was, while those who went
 * on working noticed nothing; and an archive is of no use without its key.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, apiClient, registerAccount } from '../support/api.js';
import { type CommandResult, processes, script } from '../support/host.js';
import { https } from '../support/https.js';
import { platform, secret } from '../support/platform.js';
import { SecondPlatform } from '../support/second-platform.js';
import { until } from '../support/wait.js';
import { bodyOf, closeXmppClients, connectAll, type Message, XmppClient } from '../support/xmpp.js';

/** People at work: not as much as the servers can take. */
const BETWEEN_STEPS_MS = 20;

const second = new SecondPlatform();
const archives = path.join(second.home, 'archives');
const key = path.join(platform.directory, 'backup', 'key');

let alice: Account;
let bob: Account;
let group: { group_id: string; jid: string };
let file: { address: string; content: Buffer };
let backup: CommandResult;
/** Every command line that was seen while the backup was made. */
const commandLines = new Set<string>();
/** Who registered, and what alice wrote, while it was made. */
const latecomers: Account[] = [];
let written = 0;

const bodies = (messages: Message[]): string[] => messages.flatMap((message) => bodyOf(message) ?? []);
const onSecond = (account: Account): Promise<XmppClient> =>
  XmppClient.connect(account, { port: second.port('XMPP_PORT') });

/** Runs the work while people register, write, and somebody looks at the list of processes. */
async function underLoad<T>(client: XmppClient, work: () => Promise<T>): Promise<T> {
  let ended = false;
  const repeat = async (step: () => Promise<unknown>) => {
    while (!ended) {
      await step();
      await delay(BETWEEN_STEPS_MS);
    }
  };
  const write = async () => {
    await client.send(bob.jid, `at work ${written}`);
    written += 1;
  };
  const register = async () => latecomers.push(await registerAccount('late'));
  const load = [register, write, look].map(repeat);
  try {
    return await work();
  } finally {
    ended = true;
    await Promise.all(load);
  }
}

async function look(): Promise<void> {
  for (const { commandLine } of processes()) commandLines.add(commandLine);
}

beforeAll(async () => {
  [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
  const [a, b] = await connectAll(alice, bob);
  const made = await alice.api.post('/groups', { name: 'Attic', member_jids: [bob.jid] });
  group = made.data;
  await a.send(bob.jid, 'kept in the archive');
  await b.receivedBody('kept in the archive');
  await a.join(group.jid);
  await a.sendToRoom(group.jid, 'kept in the group');
  await b.receivedBody('kept in the group');
  const content = randomBytes(200_000);
  const slot = await a.uploadSlot('photo.jpg', content.length);
  expect((await https.put(slot.put, content)).status).toBe(201);
  file = { address: slot.get, content };
  backup = await underLoad(a, () => script('backup.sh', {}, ['--to', archives]));
});

afterAll(async () => {
  await closeXmppClients();
  await second.remove();
});

describe('a backup', () => {
  it('is one file that only root reads, named on stdout; where its key is comes with it', () => {
    expect(backup).toMatchObject({ status: 0, stderr: expect.stringContaining(key) });
    const archive = backup.stdout.trim();
    expect(readdirSync(archives)).toEqual([path.basename(archive)]);
    expect(statSync(archive).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.join(platform.directory, 'run'))).not.toContain('backup');
  });

  it('shows nothing of what is in it, and no secret in the list of processes', () => {
    const archive = readFileSync(backup.stdout.trim());
    expect(archive.subarray(0, 22).toString()).toBe('age-encryption.org/v1\n');
    expect(archive.includes('accounts')).toBe(false);
    const secrets = readdirSync(path.join(platform.directory, 'secrets')).map(secret);
    secrets.push(readFileSync(key, 'utf8').trim().split('\n').at(-1)!);
    const shown = [...commandLines];
    expect(shown.some((line) => line.includes('pg_dump'))).toBe(true);
    expect(secrets.filter((one) => shown.some((line) => line.includes(one)))).toEqual([]);
  });

  it('keeps nobody from working', () => {
    expect(latecomers.length).toBeGreaterThan(0);
    expect(written).toBeGreaterThan(0);
  });

  it('is not made twice at the same time, and does not leave a part of one when it fails', async () => {
    const blocked = path.join(second.home, 'blocked');
    const recipient = path.join(platform.directory, 'backup', 'recipient');
    const before = readFileSync(recipient, 'utf8');
    writeFileSync(recipient, 'no key\n');
    try {
      const failed = await script('backup.sh', {}, ['--to', blocked]);
      expect(failed).toMatchObject({ status: 1, stderr: expect.stringContaining('No backup was made') });
    } finally {
      writeFileSync(recipient, before);
    }
    expect(readdirSync(blocked)).toEqual([]);
    const both = await Promise.all([1, 2].map(() => script('backup.sh', {}, ['--to', blocked])));
    expect(both.map(({ status }) => status).sort()).toEqual([0, 1]);
    expect(both.map(({ stderr }) => stderr).join()).toContain('Another backup');
  });

  it('comes before an upgrade, which says how to go back; old ones go when so many are to be kept', async () => {
    const upgrades = path.join(second.home, 'upgrades');
    const upgrade = await script('upgrade.sh', {}, ['--to', upgrades, '--keep', '1']);
    expect(upgrade).toMatchObject({ status: 0 });
    const [archive] = readdirSync(upgrades);
    expect(upgrade.stdout).toContain(`scripts/restore.sh ${path.join(upgrades, archive!)} --key`);
    const again = await script('backup.sh', {}, ['--to', upgrades, '--keep', '1']);
    expect(readdirSync(upgrades)).toEqual([path.basename(again.stdout.trim())]);
  });
});

describe('a restore', () => {
  it('is refused where a platform is, with another key, and for another domain', async () => {
    const archive = backup.stdout.trim();
    const there = await script('restore.sh', {}, [archive, '--key', key]);
    expect(there).toMatchObject({ status: 1, stderr: expect.stringContaining('There is a platform in') });
    const otherKey = path.join(second.home, 'other.key');
    writeFileSync(otherKey, 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n');
    const locked = await script('restore.sh', second.settings, [archive, '--key', otherKey]);
    expect(locked).toMatchObject({ status: 1, stderr: expect.stringContaining('could not be unpacked') });
    const elsewhere = { ...second.settings, XMPP_DOMAIN: 'other.test' };
    const foreign = await script('restore.sh', elsewhere, [archive, '--key', key]);
    expect(foreign).toMatchObject({ status: 1, stderr: expect.stringContaining('XMPP_DOMAIN=veil.test') });
    expect(existsSync(path.join(second.directory, 'postgres'))).toBe(false);
  });

  it('starts a platform where none was, though one before it was broken off', async () => {
    mkdirSync(path.join(second.directory, 'restore'));
    const { status, stderr } = await script('restore.sh', second.settings, [backup.stdout.trim(), '--key', key]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const ready = await second
      .api()
      .get('/health/ready', { baseURL: `http://${platform.host}:${second.port('API_PORT')}` });
    expect(ready.data).toEqual({ status: 'ready', neighbours: expect.anything() });
    expect(existsSync(path.join(second.directory, 'restore'))).toBe(false);
  });

  it('brings accounts back: their passwords, their sessions, their groups', async () => {
    const login = await second.api().post('/account/login', { username: alice.username, password: alice.password });
    expect(login.status).toBe(200);
    const { data } = await second.api(bob.token).get('/groups');
    expect(data.groups).toContainEqual(expect.objectContaining({ group_id: group.group_id, name: 'Attic' }));
  });

  it('brings messages back, those of groups too, to clients that trust the same authority', async () => {
    const b = await onSecond(bob);
    expect(bodies(await b.archive(alice.jid))).toContain('kept in the archive');
    expect(bodies(await b.archiveOf(group.jid))).toContain('kept in the group');
    await b.join(group.jid);
    const a = await onSecond(alice);
    await a.join(group.jid);
    await a.sendToRoom(group.jid, 'here again');
    await b.receivedBody('here again');
  });

  it('brings files back', async () => {
    const address = file.address.replace(`:${platform.ports.xmppHttps}/`, `:${second.port('XMPP_HTTPS_PORT')}/`);
    const { status, data } = await https.get(address, { responseType: 'arraybuffer' });
    expect(status).toBe(200);
    expect(Buffer.from(data).equals(file.content)).toBe(true);
  });

  it('is of one moment: of whoever registered meanwhile both databases know, or none', async () => {
    const names = latecomers.map(({ username }) => username);
    // A registration that was at work is nobody else's until its lease ends, half a minute after it began.
    const undone = async () => {
      const accounts = await second.read('veil', (sql) => sql`SELECT username, status FROM accounts`);
      const users = await second.read('ejabberd', (sql) => sql`SELECT username FROM users`);
      const known = users.map(({ username }) => username as string).filter((name) => names.includes(name));
      const active = accounts.filter(({ status }) => status === 'active').map(({ username }) => username as string);
      return (
        known.sort().join() ===
        active
          .filter((name) => names.includes(name))
          .sort()
          .join()
      );
    };
    await until('what had begun is undone', undone);
    const numbers = await second.read(
      'ejabberd',
      (sql) =>
        sql`SELECT txt FROM archive WHERE username = ${bob.username} AND txt LIKE 'at work %' ORDER BY timestamp`,
    );
    expect(numbers.map(({ txt }) => txt)).toEqual(numbers.map((_row, index) => `at work ${index}`));
  });

  it('leaves the platform that was backed up as it was', async () => {
    const { username, password } = alice;
    expect((await apiClient().post('/account/login', { username, password })).status).toBe(200);
  });
});
