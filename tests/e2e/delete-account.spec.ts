/**
 * Deleting an account: it takes the right password, and then nothing of the account is left in any store, nothing of
 * it goes on working, and whoever registers the name next inherits nothing.
 */
import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TABLES_OF_ACCOUNTS, TABLES_OF_NOBODY } from '../support/account-tables.js';
import { type Account, apiClient } from '../support/api.js';
import { findInDatabases, type Trace, tablesOfDatabases } from '../support/databases.js';
import { affiliationsOf, subscribersOf } from '../support/ejabberd.js';
import { veil } from '../support/host.js';
import { https } from '../support/https.js';
import { platform } from '../support/platform.js';
import { rpc } from '../support/sip-server.js';
import { folderOf, uploadsWith } from '../support/uploads.js';
import { DEVICES, WholeLife } from '../support/whole-life.js';
import { bodyOf, closeXmppClients, XmppClient } from '../support/xmpp.js';

const STORAGE = '<storage xmlns="storage:bookmarks"/>';

let life: WholeLife;
let gone: Account;
let peer: Account;
let mark: string;

beforeAll(async () => {
  life = await WholeLife.begin();
  ({ account: gone, peer, mark } = life);
});

afterAll(async () => {
  life.phone.close();
  await closeXmppClients();
});

describe('with the wrong password', () => {
  it('is refused, and so is the account of somebody else', async () => {
    const wrong = await gone.api.delete('/account', { data: { jid: gone.jid, password: peer.password } });
    expect([wrong.status, wrong.data.code]).toEqual([401, 'invalid_credentials']);
    const other = await gone.api.delete('/account', { data: { jid: peer.jid, password: gone.password } });
    expect([other.status, other.data.code]).toEqual([403, 'forbidden']);
  });

  it('changes nothing', async () => {
    expect(await life.stream.contacts()).toHaveLength(1);
    expect((await gone.api.get('/groups')).data.groups).toHaveLength(2);
    expect((await life.phone.register()).status).toBe(200);
    expect((await rpc('ul.lookup', ['location', gone.jid])).data.result.AoR).toBe(gone.jid);
    expect(await uploadsWith(mark)).toHaveLength(1);
  });
});

describe('the tables of both databases', () => {
  it('are all known: they hold something of accounts, or it is said why not', async () => {
    const known = [...TABLES_OF_ACCOUNTS, ...Object.keys(TABLES_OF_NOBODY)];
    expect((await tablesOfDatabases()).sort()).toEqual(known.sort());
  });

  // Also the proof that the search after the deletion knows where to look.
  it('hold something of the account, where they are said to', async () => {
    await life.leaveMomentaryRows();
    const traces = await findInDatabases(...life.signs);
    const found = new Set(traces.filter((trace) => !belongsToSomebodyElse(trace)).map(({ table }) => table));
    expect([...found].sort()).toEqual([...TABLES_OF_ACCOUNTS].sort());
  });
});

describe('with the right password', () => {
  beforeAll(async () => {
    const answer = await gone.api.delete('/account', { data: { jid: gone.jid, password: gone.password } });
    expect([answer.status, answer.data]).toEqual([200, { status: 'deleted' }]);
  });

  it('closes the open stream, and no new one opens', async () => {
    expect(await life.stream.ended()).toBe('conflict');
    await expect(XmppClient.connect(gone)).rejects.toThrow(/^not-authorized/);
  });

  it('ends the phone: its registration is gone, and a new one is refused', async () => {
    expect((await life.phone.register()).status).toBe(403);
    // Kamailio answers from memory; that it has none in its table either, the search below tells.
    expect((await rpc('ul.lookup', ['location', gone.jid])).data.error.message).toMatch(/^AOR not found/);
  });

  it('kills the token, and the way to a new one', async () => {
    expect((await gone.api.get('/groups')).status).toBe(401);
    const { username, password } = gone;
    expect((await apiClient().post('/account/login', { username, password })).status).toBe(401);
  });

  it('takes the account out of its groups, and hands over the one that nobody else owned', async () => {
    expect(await affiliationsOf(life.group.jid)).toEqual({ [peer.jid]: 'owner' });
    expect(await affiliationsOf(life.ownGroup.jid)).toEqual({ [peer.jid]: 'owner' });
    for (const { jid } of [life.group, life.ownGroup]) expect(await subscribersOf(jid)).toEqual([peer.jid]);
  });

  it('leaves nothing in any table, but what others own', async () => {
    const traces = await findInDatabases(...life.signs);
    expect(traces.filter((trace) => !belongsToSomebodyElse(trace))).toEqual([]);
    // The conversation as the peer has it is still there.
    expect((await life.peerStream.archive(gone.jid)).map(bodyOf)).toContain(`Between us ${mark}`);
  });

  it('leaves nothing of its uploads', async () => {
    expect((await https.get(life.fileUrl)).status).toBe(404);
    expect(await uploadsWith(mark)).toEqual([]);
    await expect(access(folderOf(gone.jid))).rejects.toThrow('ENOENT');
  });
});

describe('its name', () => {
  it('is kept from everybody, until the operator frees it', async () => {
    const asked = { username: gone.username, password: 'correct horse battery' };
    const { status, data } = await apiClient().post('/account/register', asked);
    expect([status, data.code]).toEqual([409, 'username_taken']);
    const freed = await veil('name', 'free', gone.username);
    expect(freed).toMatchObject({ status: 0, stdout: `${gone.username} can be registered again\n` });
  });
});

describe('whoever registers the name again', () => {
  let heir: Account;
  let newcomer: XmppClient;

  beforeAll(async () => {
    const password = `Pw-${randomBytes(9).toString('base64url')}`;
    const { username } = gone;
    const { status, data } = await apiClient().post('/account/register', { username, password });
    expect(status).toBe(201);
    heir = { username, password, jid: data.jid, token: data.token, api: apiClient(data.token) };
    newcomer = await XmppClient.connect(heir, { resource: 'heir' });
  });

  it('is somebody else: the old password, token and phone stay dead', async () => {
    expect(claims(heir.token).sub).not.toBe(life.accountId);
    expect((await gone.api.get('/groups')).status).toBe(401);
    expect((await life.phone.register()).status).toBe(403);
    await expect(XmppClient.connect(gone)).rejects.toThrow(/^not-authorized/);
  });

  it('has no contacts, messages, profile, bookmarks or keys', async () => {
    expect(await newcomer.contacts()).toEqual([]);
    expect(await newcomer.archive()).toEqual([]);
    // The answers above came after everything that was waiting: nothing was.
    expect(newcomer.messages).toEqual([]);
    expect(await newcomer.vcardName(heir.jid).catch(() => null)).toBeNull();
    expect(await newcomer.private(STORAGE)).not.toContain(mark);
    await expect(newcomer.items(heir.jid, DEVICES)).rejects.toThrow(/^item-not-found/);
    await expect(life.peerStream.items(heir.jid, DEVICES)).rejects.toThrow(/^item-not-found/);
    expect(await newcomer.iq('get', '<blocklist xmlns="urn:xmpp:blocking"/>')).not.toContain('<item');
  });

  it('has no groups, and does not get into the old ones', async () => {
    expect((await heir.api.get('/groups')).data.groups).toEqual([]);
    for (const { group_id, jid } of [life.group, life.ownGroup]) {
      await expect(newcomer.join(jid)).rejects.toThrow(/^registration-required/);
      expect((await heir.api.get(`/groups/${group_id}/members`)).status).toBe(404);
    }
  });

  it('has no devices, and no file of the one before', async () => {
    const device = { jid: heir.jid, device_id: `device-${mark}` };
    expect((await heir.api.delete('/push/register', { data: device })).status).toBe(404);
    expect((await https.get(life.fileUrl)).status).toBe(404);
    expect((await findInDatabases(mark)).filter((trace) => !belongsToSomebodyElse(trace))).toEqual([]);
  });

  it('is not seen by the old contacts', async () => {
    const [contact] = await life.peerStream.contacts();
    expect(contact).toMatchObject({ jid: heir.jid, subscription: 'none' });
    await newcomer.features(platform.domain);
    await life.peerStream.features(platform.domain);
    expect(life.peerStream.presences.filter((presence) => presence.from === newcomer.jid)).toEqual([]);
  });
});

/**
 * A conversation has two ends. What the account wrote stays with those to whom it wrote: in the peer's archive, in the
 * archive of a group (which is the group's), in what waits for a peer who is offline, and as a name in the peer's
 * contacts. These rows are theirs to keep or delete; everything else had to go.
 */
function belongsToSomebodyElse({ table, username }: Trace): boolean {
  return ['archive', 'rosterusers', 'spool'].includes(table) && username !== undefined && username !== gone.username;
}

const claims = (token: string): { sub: string } =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
