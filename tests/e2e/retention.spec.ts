/**
 * What is kept for a time only goes when its time is over, and nothing else does. docs/retention.md has the table.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { type Account, registerAccount } from '../support/api.js';
import { waitsOffline, writeToEjabberd } from '../support/databases.js';
import { https } from '../support/https.js';
import { OwnApi } from '../support/own-api.js';
import { platform } from '../support/platform.js';
import { filesIn, folderOf, UPLOADS } from '../support/uploads.js';
import { until } from '../support/wait.js';
import { bodyOf, closeXmppClients, XmppClient } from '../support/xmpp.js';

const DAY_SECONDS = 86_400;
const MEGABYTE = 1024 * 1024;

afterAll(closeXmppClients);

it('messages go from archives and from what waits, when the operator wants it', async () => {
  const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
  const { data: group } = await alice.api.post('/groups', { name: 'Talk', member_jids: [bob.jid] });
  const [old, recent] = [`old-${randomBytes(6).toString('hex')}`, `recent-${randomBytes(6).toString('hex')}`];
  for (const text of [old, recent]) await say(text, alice, bob, group.jid);
  await age(old, 31);

  const api = await OwnApi.start({ CHAT_ARCHIVE_DAYS: '30' });
  try {
    await until('the old ones are gone', async () => (await rowsWith(old)) === 0);
  } finally {
    await api.stop();
  }

  const stream = await XmppClient.connect(bob);
  await stream.receivedBody(recent);
  expect((await stream.archive()).map(bodyOf).filter((body) => body?.includes(old))).toEqual([]);
  expect((await stream.archive()).map(bodyOf)).toContain(recent);
  expect((await stream.archiveOf(group.jid)).map(bodyOf)).toEqual([recent]);
});

it('messages that wait go after 90 days, and stay in the archive', async () => {
  const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
  const { data: group } = await alice.api.post('/groups', { name: 'Talk', member_jids: [bob.jid] });
  const text = `late-${randomBytes(6).toString('hex')}`;
  await say(text, alice, bob, group.jid);
  const all = await rowsWith(text);
  await age(text, 91);

  const api = await OwnApi.start({});
  try {
    await until('it does not wait any more', async () => (await waitingWith(text)) === 0);
  } finally {
    await api.stop();
  }
  expect(await rowsWith(text)).toBe(all - 2);
});

it('the oldest files of an account go when a new one would be too much', async () => {
  const account = await registerAccount('hoarder');
  const large = await placeFile(account, 995 * MEGABYTE, 10 * DAY_SECONDS);
  const stream = await XmppClient.connect(account);
  const kept = Buffer.from('kept');
  const slot = await stream.uploadSlot('kept.txt', kept.length);
  expect((await https.put(slot.put, kept)).status).toBe(201);

  await stream.uploadSlot('small.bin', MEGABYTE);
  await stream.features(platform.domain);
  expect((await stat(large)).size).toBe(995 * MEGABYTE);
  await stream.uploadSlot('large.bin', 10 * MEGABYTE);
  await until('there is room for it', async () => (await filesIn(folderOf(account.jid))).length === 1);
  expect((await https.get(slot.get)).data).toBe('kept');
});

it('files go when they are old, and the folders that this leaves empty', async () => {
  const configuration = await readFile(path.join(platform.directory, 'ejabberd', 'run', 'etc', 'ejabberd.yml'), 'utf8');
  const days = Number(/max_days: (\d+)/.exec(configuration)?.[1]);
  expect(days).toBe(365);
  const folder = await mkdtemp(path.join(tmpdir(), 'uploads-'));
  try {
    const files = await Promise.all([
      writeAged(path.join(folder, 'one', 'a', 'old.txt'), 366),
      writeAged(path.join(folder, 'one', 'b', 'recent.txt'), 364),
      writeAged(path.join(folder, 'two', 'c', 'old.txt'), 366),
    ]);
    await sweep(folder, days);
    expect(await filesIn(folder)).toEqual([files[1]]);
    await expect(stat(path.join(folder, 'two'))).rejects.toThrow('ENOENT');
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** The same words to a contact who is away and to the group; they stay in four archives, and wait twice. */
async function say(text: string, from: Account, to: Account, room: string): Promise<void> {
  const stream = await XmppClient.connect(from);
  await stream.send(to.jid, text);
  await stream.join(room);
  await stream.sendToRoom(room, text);
  await stream.receivedBody(text);
  await waitsOffline(to.username, text);
  await until('it waits twice', async () => (await waitingWith(text)) === 2);
  await stream.close();
}

/** Moves messages into the past, by so many days. */
async function age(text: string, days: number): Promise<void> {
  await writeToEjabberd(async (sql) => {
    await sql`
      UPDATE archive SET timestamp = timestamp - ${days * DAY_SECONDS * 1e6}::bigint WHERE position(${text} IN xml) > 0`;
    await sql`
      UPDATE spool SET created_at = created_at - ${days} * interval '1 day' WHERE position(${text} IN xml) > 0`;
  });
}

const waitingWith = async (text: string): Promise<number> =>
  (await writeToEjabberd((sql) => sql`SELECT FROM spool WHERE position(${text} IN xml) > 0`)).length;

async function rowsWith(text: string): Promise<number> {
  const archived = await writeToEjabberd((sql) => sql`SELECT FROM archive WHERE position(${text} IN xml) > 0`);
  return archived.length + (await waitingWith(text));
}

/** A file as the chat server would have stored it some seconds ago: of that size, and with holes only. */
async function placeFile({ jid }: Account, bytes: number, secondsAgo: number): Promise<string> {
  const file = path.join(folderOf(jid), 'placed', 'large.bin');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, '');
  const { uid, gid } = await stat(UPLOADS);
  for (const each of [folderOf(jid), path.dirname(file), file]) await chown(each, uid, gid);
  await truncate(file, bytes);
  const time = Date.now() / 1000 - secondsAgo;
  await utimes(file, time, time);
  return file;
}

async function writeAged(file: string, days: number): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, 'x');
  const time = Date.now() / 1000 - days * DAY_SECONDS;
  await utimes(file, time, time);
  return file;
}

/** What ejabberd does once a day: its own code, on another folder, since nobody but its own clock can ask it to. */
async function sweep(folder: string, days: number): Promise<void> {
  const state = `{state, <<"veil.test">>, none, none, ${days}, <<"${folder}">>, #{}, undefined}`;
  const program = `{noreply, _} = mod_http_upload_quota:handle_info(sweep, ${state}), halt(0).`;
  const [application = ''] = globSync('/usr/lib/*/ejabberd-*/ebin');
  const libraries = path.resolve(application, '..', '..');
  await promisify(execFile)('erl', ['-noinput', '-eval', program], {
    env: { ...process.env, ERL_LIBS: libraries, HOME: folder },
  });
}
