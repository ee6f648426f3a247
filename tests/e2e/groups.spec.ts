/**
 * Groups: made and changed by the API, lived in over XMPP. The API's tables say who belongs; the room follows, and
 * whoever is out hears nothing more, neither in the room nor by subscription (MucSub).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount } from '../support/api.js';
import { waitsOffline, writeToVeil } from '../support/databases.js';
import { affiliationsOf, optionsOf, subscribersOf } from '../support/ejabberd.js';
import { platform } from '../support/platform.js';
import { until } from '../support/wait.js';
import { bodyOf, closeAll, closeXmppClients, connectAll } from '../support/xmpp.js';
import { caughtUp, configure, expectNothingHeard, expectShownOut, heard } from '../support/xmpp-rooms.js';

const GROUP_MESSAGES = 'urn:xmpp:mucsub:nodes:messages';

interface Group {
  group_id: string;
  jid: string;
  name: string;
}

let owner: Account;
let member: Account;
let friend: Account;
let stranger: Account;

beforeAll(async () => {
  [owner, member, friend, stranger] = await Promise.all([
    registerAccount('owner'),
    registerAccount('member'),
    registerAccount('friend'),
    registerAccount('stranger'),
  ]);
});

afterAll(closeXmppClients);

async function createGroup(by: Account, others: Account[], name = 'Family'): Promise<Group> {
  const answer = await by.api.post('/groups', { name, member_jids: others.map(({ jid }) => jid) });
  expect(answer.status).toBe(201);
  return answer.data;
}

async function groupsOf(account: Account): Promise<(Group & { role: string })[]> {
  return (await account.api.get('/groups')).data.groups;
}

const remove = (by: Account, { group_id }: Group, jid: string) => by.api.delete(`/groups/${group_id}/members/${jid}`);

const setRole = (by: Account, { group_id }: Group, { jid }: Account, role: string) =>
  by.api.patch(`/groups/${group_id}/members/${jid}`, { role });

describe('a new group', () => {
  it('is listed for its members, online or not, and for nobody else', async () => {
    const group = await createGroup(owner, [member, friend], 'Garden');
    expect(group.jid).toBe(`${group.group_id}@muc.${platform.domain}`);
    const listed = { group_id: group.group_id, jid: group.jid, name: 'Garden' };
    expect(await groupsOf(owner)).toContainEqual({ ...listed, role: 'owner' });
    expect(await groupsOf(member)).toContainEqual({ ...listed, role: 'member' });
    expect(await groupsOf(stranger)).toEqual([]);
  });

  it('has a room whose affiliations and subscribers are the members and their roles', async () => {
    const group = await createGroup(owner, [member]);
    expect(await affiliationsOf(group.jid)).toEqual({ [owner.jid]: 'owner', [member.jid]: 'member' });
    expect(await subscribersOf(group.jid)).toEqual([member.jid, owner.jid].sort());
    const { data } = await member.api.get(`/groups/${group.group_id}/members`);
    expect(data.members).toEqual(
      expect.arrayContaining([
        { jid: owner.jid, affiliation: 'owner', role: 'owner' },
        { jid: member.jid, affiliation: 'member', role: 'member' },
      ]),
    );
  });

  it('is joined by its members, who hear each other and know who is who', async () => {
    const group = await createGroup(owner, [member, friend]);
    const [o, m, f] = await connectAll(owner, member, friend);
    expect(await o.join(group.jid)).toMatchObject({ affiliation: 'owner', role: 'moderator' });
    expect(await m.join(group.jid)).toMatchObject({ affiliation: 'member', role: 'participant' });
    await m.sendToRoom(group.jid, 'Hello group');
    for (const listener of [o, m]) {
      expect(await listener.receivedBody('Hello group')).toMatchObject({
        type: 'groupchat',
        from: `${group.jid}/${member.username}`,
      });
    }
    // Who has not entered the room is told as a subscriber.
    expect(await f.receivedBody('Hello group')).toMatchObject({ node: GROUP_MESSAGES });
    expect(await o.archiveOf(group.jid).then((archive) => archive.map(bodyOf))).toEqual(['Hello group']);
    await closeAll(o, m, f);
  });

  it('is closed to a stranger: no entering, no subscribing, no archive, no list, no trace', async () => {
    const group = await createGroup(owner, [member]);
    const [s] = await connectAll(stranger);
    await expect(s.join(group.jid)).rejects.toThrow(/^registration-required/);
    await expect(s.subscribe(group.jid)).rejects.toThrow(/^(forbidden|not-allowed|registration-required)/);
    await expect(s.archiveOf(group.jid)).rejects.toThrow(/^(forbidden|not-allowed)/);
    await expect(s.sendToRoom(group.jid, 'Let me in')).resolves.toBeDefined();
    expect(await s.services(`muc.${platform.domain}`)).not.toContain(group.jid);
    expect(await s.services(group.jid)).toEqual([]);
    const [o] = await connectAll(owner);
    expect(await o.archiveOf(group.jid)).toEqual([]);

    const { status, data } = await stranger.api.get(`/groups/${group.group_id}/members`);
    expect([status, data.code]).toEqual([404, 'not_found']);
    await closeAll(s, o);
  });
});

describe('an offline member', () => {
  it('finds the group and, on return, what was said meanwhile: once, and in the archive', async () => {
    const group = await createGroup(owner, [member], 'While you were out');
    const [o] = await connectAll(owner);
    await o.join(group.jid);
    await o.sendToRoom(group.jid, 'Dinner at eight');
    await o.receivedBody('Dinner at eight');
    await waitsOffline(member.username, 'Dinner at eight');

    expect((await groupsOf(member)).map((listed) => listed.group_id)).toContain(group.group_id);
    const [back] = await connectAll(member);
    const delivered = await back.receivedBody('Dinner at eight');
    expect(delivered).toMatchObject({ node: GROUP_MESSAGES, delayed: true });
    expect((await back.archiveOf(group.jid)).map(bodyOf)).toEqual(['Dinner at eight']);
    expect(heard(back, 'Dinner at eight')).toHaveLength(1);
    await closeAll(o, back);
  });

  it('who was removed gets nothing of what was said after', async () => {
    const group = await createGroup(owner, [member]);
    const [o] = await connectAll(owner);
    await o.join(group.jid);
    expect((await remove(owner, group, member.jid)).status).toBe(200);
    await o.sendToRoom(group.jid, 'Said behind his back');
    await o.receivedBody('Said behind his back');
    const [back] = await connectAll(member);
    await caughtUp(group.jid, o, back);
    expect(heard(back, 'Said behind his back')).toEqual([]);
    await closeAll(o, back);
  });
});

describe('a removed member', () => {
  it('is shown out, hears nothing more, and does not get back in', async () => {
    const group = await createGroup(owner, [member, friend]);
    const [o, m, f] = await connectAll(owner, member, friend);
    await Promise.all([o, m, f].map((client) => client.join(group.jid)));

    expect((await remove(owner, group, member.jid)).status).toBe(200);
    await expectShownOut(m, group.jid, 321);
    await expectNothingHeard(group.jid, 'After the removal', { speaker: o, listener: f, outsider: m });
    await expect(m.join(group.jid)).rejects.toThrow(/^registration-required/);
    await expect(m.subscribe(group.jid)).rejects.toThrow(/^(forbidden|not-allowed|registration-required)/);
    await expect(m.archiveOf(group.jid)).rejects.toThrow(/^(forbidden|not-allowed)/);

    expect((await groupsOf(member)).map((listed) => listed.group_id)).not.toContain(group.group_id);
    expect((await member.api.get(`/groups/${group.group_id}/members`)).status).toBe(404);
    expect(await subscribersOf(group.jid)).not.toContain(member.jid);
    await closeAll(o, m, f);
  });

  it('hears nothing more as a mere subscriber either', async () => {
    const group = await createGroup(owner, [member, friend]);
    const [o, m, f] = await connectAll(owner, member, friend);
    await o.join(group.jid);
    await o.sendToRoom(group.jid, 'Before the removal');
    await m.receivedBody('Before the removal');
    expect((await remove(owner, group, member.jid)).status).toBe(200);
    await expectNothingHeard(group.jid, 'After the removal of a subscriber', { speaker: o, listener: f, outsider: m });
    await closeAll(o, m, f);
  });

  it('may be invited back', async () => {
    const group = await createGroup(owner, [member]);
    await remove(owner, group, member.jid);
    expect((await owner.api.post(`/groups/${group.group_id}/members`, { jid: member.jid })).status).toBe(200);
    const [m] = await connectAll(member);
    expect(await m.join(group.jid)).toMatchObject({ affiliation: 'member' });
    await closeAll(m);
  });
});

describe('a banned member', () => {
  it('is shown out, hears nothing more, and does not get back in', async () => {
    const group = await createGroup(owner, [member, friend]);
    const [o, m, f] = await connectAll(owner, member, friend);
    await Promise.all([o, m, f].map((client) => client.join(group.jid)));

    const ban = `<item affiliation="outcast" jid="${member.jid}"/>`;
    await o.iq('set', `<query xmlns="http://jabber.org/protocol/muc#admin">${ban}</query>`, group.jid);
    await expectShownOut(m, group.jid, 301);
    await expectNothingHeard(group.jid, 'After the ban', { speaker: o, listener: f, outsider: m });
    await expect(m.join(group.jid)).rejects.toThrow(/^forbidden/);
    await expect(m.subscribe(group.jid)).rejects.toThrow(/^(forbidden|not-allowed)/);
    await expect(m.archiveOf(group.jid)).rejects.toThrow(/^(forbidden|not-allowed)/);
    expect(await subscribersOf(group.jid)).not.toContain(member.jid);
    await closeAll(o, m, f);
  });
});

describe('roles', () => {
  it('become the affiliations of the room', async () => {
    const group = await createGroup(owner, [member, friend]);
    expect((await setRole(owner, group, member, 'admin')).status).toBe(200);
    expect(await affiliationsOf(group.jid)).toMatchObject({ [member.jid]: 'admin', [friend.jid]: 'member' });
    expect((await setRole(owner, group, friend, 'owner')).status).toBe(200);
    expect(await affiliationsOf(group.jid)).toMatchObject({ [owner.jid]: 'owner', [friend.jid]: 'owner' });
    expect((await setRole(friend, group, member, 'member')).status).toBe(200);
    expect(await affiliationsOf(group.jid)).toMatchObject({ [member.jid]: 'member' });
  });

  it('let owners and admins change the group, and members look on', async () => {
    const group = await createGroup(owner, [member, friend]);
    await setRole(owner, group, friend, 'admin');
    const add = (by: Account) => by.api.post(`/groups/${group.group_id}/members`, { jid: stranger.jid });
    const rename = (by: Account) => by.api.patch(`/groups/${group.group_id}`, { name: 'Renamed' });
    for (const refused of [
      await add(member),
      await rename(member),
      await remove(member, group, friend.jid),
      await setRole(friend, group, member, 'admin'),
      await remove(friend, group, owner.jid),
      await friend.api.delete(`/groups/${group.group_id}`),
    ]) {
      expect([refused.status, refused.data.code]).toEqual([403, 'forbidden']);
    }
    expect((await add(friend)).status).toBe(200);
    expect((await remove(friend, group, stranger.jid)).status).toBe(200);
    expect((await rename(friend)).status).toBe(200);
    expect(await affiliationsOf(group.jid)).toEqual({
      [owner.jid]: 'owner',
      [friend.jid]: 'admin',
      [member.jid]: 'member',
    });
  });
});

describe('a nickname', () => {
  it('that is the name of somebody else keeps nobody from being added', async () => {
    const group = await createGroup(owner, [member, friend]);
    const [m, f] = await connectAll(member, friend);
    await m.join(group.jid, stranger.username);
    expect((await owner.api.post(`/groups/${group.group_id}/members`, { jid: stranger.jid })).status).toBe(200);
    expect(await subscribersOf(group.jid)).toContain(stranger.jid);
    await m.sendToRoom(group.jid, 'Under your name');
    await waitsOffline(stranger.username, 'Under your name');
    await f.receivedBody('Under your name');
    const [s] = await connectAll(stranger);
    await s.receivedBody('Under your name');
    await closeAll(m, f, s);
  });

  it('that is the name of a member who ended his subscription holds up no change', async () => {
    const group = await createGroup(owner, [member, friend]);
    const [m, f] = await connectAll(member, friend);
    await m.unsubscribe(group.jid);
    await f.subscribe(group.jid, member.username);
    expect((await owner.api.patch(`/groups/${group.group_id}`, { name: 'Renamed' })).status).toBe(200);
    expect(await subscribersOf(group.jid)).toContain(member.jid);
    await f.sendToRoom(group.jid, 'Under your name');
    await m.receivedBody('Under your name');
    await closeAll(m, f);
  });
});

describe('leaving', () => {
  it('ends membership everywhere', async () => {
    const group = await createGroup(owner, [member]);
    const [m] = await connectAll(member);
    await m.join(group.jid);
    expect((await member.api.post(`/groups/${group.group_id}/leave`, {})).status).toBe(200);
    await expectShownOut(m, group.jid, 321);
    await expect(m.join(group.jid)).rejects.toThrow(/^registration-required/);
    expect(await affiliationsOf(group.jid)).toEqual({ [owner.jid]: 'owner' });
    expect(await subscribersOf(group.jid)).toEqual([owner.jid]);
    await closeAll(m);
  });

  it('is refused to the last owner, until somebody else is one', async () => {
    const group = await createGroup(owner, [member]);
    const leave = () => owner.api.post(`/groups/${group.group_id}/leave`, {});
    for (const refused of [await leave(), await setRole(owner, group, owner, 'member')]) {
      expect([refused.status, refused.data.code]).toEqual([409, 'last_owner']);
    }
    await setRole(owner, group, member, 'owner');
    expect((await leave()).status).toBe(200);
    expect(await affiliationsOf(group.jid)).toEqual({ [member.jid]: 'owner' });
  });
});

describe('a group that changes', () => {
  it('is renamed for everybody', async () => {
    const group = await createGroup(owner, [member], 'Old name');
    const [m] = await connectAll(member);
    await m.join(group.jid);
    expect((await owner.api.patch(`/groups/${group.group_id}`, { name: 'New <name> & "more"' })).status).toBe(200);
    expect((await groupsOf(member)).find((listed) => listed.group_id === group.group_id)?.name).toBe(
      'New <name> & "more"',
    );
    const info = await m.iq('get', '<query xmlns="http://jabber.org/protocol/disco#info"/>', group.jid);
    expect(info).toContain('name="New &lt;name&gt; &amp; &quot;more&quot;"');
    await closeAll(m);
  });

  it('stays archived and permanent, whatever its owner tells the room', async () => {
    const group = await createGroup(owner, [member]);
    const [o] = await connectAll(owner);
    for (const option of ['muc#roomconfig_persistentroom', 'mam']) {
      await expect(configure(group.jid, o, { [option]: '0' })).rejects.toThrow(/^not-acceptable/);
    }
    await closeAll(o);
  });

  it('closes itself again after its owner has opened it by XMPP, and whoever came in is out', async () => {
    const group = await createGroup(owner, [member]);
    const [o, s] = await connectAll(owner, stranger);
    await o.join(group.jid);
    const before = await optionsOf(group.jid);
    await configure(group.jid, o, { 'muc#roomconfig_membersonly': '0' });
    await s.join(group.jid);
    await s.subscribe(group.jid);
    await configure(group.jid, o, {
      'muc#roomconfig_passwordprotectedroom': '1',
      'muc#roomconfig_roomsecret': 'nobody knows',
      'muc#roomconfig_whois': 'moderators',
      'muc#roomconfig_maxusers': '5',
      'muc#roomconfig_publicroom': '1',
      public_list: '1',
      'muc#roomconfig_changesubject': '1',
      'muc#roomconfig_allowvoicerequests': '1',
      allow_query_users: '0',
      members_by_default: '0',
      'muc#roomconfig_moderatedroom': '1',
    });
    expect((await optionsOf(group.jid)).password).toBe('nobody knows');

    await writeToVeil(
      (sql) => sql`UPDATE groups SET checked_at = now() - interval '1 hour' WHERE id = ${group.group_id}`,
    );
    await expectShownOut(s, group.jid, 322);
    await until('the room is as it was', async () =>
      Object.entries(await optionsOf(group.jid)).every(([option, value]) => before[option] === value),
    );
    await until('its members are subscribed', async () => (await subscribersOf(group.jid)).length === 2);
    expect(await subscribersOf(group.jid)).not.toContain(stranger.jid);
    await expect(s.join(group.jid)).rejects.toThrow(/^registration-required/);
    const [m] = await connectAll(member);
    expect(await m.join(group.jid)).toMatchObject({ affiliation: 'member', role: 'participant' });
    await expectNothingHeard(group.jid, 'Among ourselves', { speaker: o, listener: m, outsider: s });
    await closeAll(o, m, s);
  });

  it('is deleted with its room and its archive', async () => {
    const group = await createGroup(owner, [member]);
    const [o, m] = await connectAll(owner, member);
    await Promise.all([o.join(group.jid), m.join(group.jid)]);
    await o.sendToRoom(group.jid, 'Last words');
    await m.receivedBody('Last words');

    expect((await member.api.delete(`/groups/${group.group_id}`)).status).toBe(403);
    expect((await owner.api.delete(`/groups/${group.group_id}`)).status).toBe(200);
    await m.presenceFrom(group.jid, (presence) => presence.type === 'unavailable');
    expect(await affiliationsOf(group.jid)).toBeUndefined();
    await expect(o.join(group.jid)).rejects.toThrow(/^(not-allowed|item-not-found|forbidden)/);
    await expect(o.archiveOf(group.jid)).rejects.toThrow();
    expect((await groupsOf(owner)).map((listed) => listed.group_id)).not.toContain(group.group_id);
    expect((await owner.api.get(`/groups/${group.group_id}/members`)).status).toBe(404);
    await closeAll(o, m);
  });
});
