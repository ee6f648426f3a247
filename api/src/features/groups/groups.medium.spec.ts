import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { TestApp } from '../../testing/app.js';
import { AccountRemoval } from '../account/account-removal.js';
import { GroupChanges } from './group-changes.js';
import { RemovedRooms } from './removed-rooms.js';

type Account = Awaited<ReturnType<TestApp['register']>>;

describe('groups', () => {
  let app: TestApp;
  let owner: Account;
  let admin: Account;
  let member: Account;
  let stranger: Account;

  beforeAll(async () => {
    app = await TestApp.start();
    [owner, admin, member, stranger] = await Promise.all([
      app.register('owner'),
      app.register('admin'),
      app.register('member'),
      app.register('stranger'),
    ]);
  });
  afterAll(() => app.stop());

  const as = (account: Account) => ({
    get: (path: string) => app.http.get(`/api/v1/groups${path}`).set(account.bearer),
    post: (path: string, body: object = {}) => app.http.post(`/api/v1/groups${path}`).set(account.bearer).send(body),
    patch: (path: string, body: object) => app.http.patch(`/api/v1/groups${path}`).set(account.bearer).send(body),
    delete: (path: string) => app.http.delete(`/api/v1/groups${path}`).set(account.bearer),
  });

  /** A group with an owner, an admin and a member. */
  async function makeGroup(): Promise<string> {
    const answer = await as(owner).post('', { name: 'Family', member_jids: [admin.jid, member.jid] });
    expect(answer.status).toBe(201);
    const path = `/${answer.body.group_id}`;
    expect((await as(owner).patch(`${path}/members/${admin.jid}`, { role: 'admin' })).status).toBe(200);
    return path;
  }

  const roles = async (path: string) => {
    const answer = await as(owner).get(`${path}/members`);
    return Object.fromEntries(answer.body.members.map(({ jid, role }: Record<string, string>) => [jid, role]));
  };

  /** The room, in the form in which the API's own tables say it. */
  const room = (path: string) => {
    const found = app.ejabberd.rooms.get(path.slice(1));
    return found && { roles: Object.fromEntries(found.affiliations), subscribers: [...found.subscribers].sort() };
  };

  async function expectStoresToAgree(path: string): Promise<void> {
    const truth = await roles(path);
    expect(room(path)).toEqual({ roles: truth, subscribers: Object.keys(truth).sort() });
  }

  const expectNoFailure = (error: unknown) => {
    throw error;
  };

  async function reap(): Promise<void> {
    await app.database.sql`UPDATE groups SET change_until = now() - interval '1 hour' WHERE change_id IS NOT NULL`;
    await app.app.get(GroupChanges).mendRooms(100, expectNoFailure);
  }

  const destroyAgain = () => app.app.get(RemovedRooms).destroyAgain(100, expectNoFailure);

  it('creates a group with its room and lists it to every member, but to no stranger', async () => {
    const path = await makeGroup();
    expect(await roles(path)).toEqual({ [owner.jid]: 'owner', [admin.jid]: 'admin', [member.jid]: 'member' });
    await expectStoresToAgree(path);
    const listed = (await as(member).get('')).body.groups.find(
      (group: { group_id: string }) => `/${group.group_id}` === path,
    );
    expect(listed).toEqual({
      group_id: path.slice(1),
      jid: `${path.slice(1)}@muc.veil.test`,
      name: 'Family',
      role: 'member',
    });
    expect((await as(stranger).get('')).body).toEqual({ groups: [] });
    expect((await as(stranger).get(`${path}/members`)).body.code).toBe('not_found');
  });

  it('destroys the room of a deleted group again, whatever brought it back', async () => {
    const path = await makeGroup();
    expect((await as(owner).delete(path)).status).toBe(200);
    await app.ejabberd.createRoom(path.slice(1), 'Too late');
    await destroyAgain();
    expect(room(path)).toBeDefined();
    await app.database.sql`UPDATE removed_rooms SET due_at = now() - interval '1 hour'`;
    app.ejabberd.failNext('destroyRoom', 'refuse');
    await expect(destroyAgain()).rejects.toThrow('chat_server_unavailable');
    await app.database.sql`UPDATE removed_rooms SET due_at = now() - interval '1 hour'`;
    await destroyAgain();
    expect(room(path)).toBeUndefined();
    expect(await app.database.sql`SELECT FROM removed_rooms`).toHaveLength(0);
  });

  it('names the member who is no account, and creates nothing', async () => {
    const rooms = app.ejabberd.rooms.size;
    for (const jid of ['nobody@veil.test', `${member.username}@elsewhere.test`, 'nonsense']) {
      const answer = await as(owner).post('', { name: 'x', member_jids: [admin.jid, jid] });
      expect(answer.status).toBe(422);
      expect(answer.body.errors[0].field).toBe('member_jids[1]');
    }
    expect(app.ejabberd.rooms.size).toBe(rooms);
  });

  it('lets only owners and admins change a group', async () => {
    const path = await makeGroup();
    const changes = (account: Account) => [
      as(account).patch(path, { name: 'Taken over' }),
      as(account).post(`${path}/members`, { jid: stranger.jid }),
      as(account).delete(`${path}/members/${admin.jid}`),
      as(account).patch(`${path}/members/${account.jid}`, { role: 'owner' }),
      as(account).delete(path),
    ];
    for (const change of changes(member)) expect((await change).body.code).toBe('forbidden');
    for (const change of changes(stranger)) expect((await change).body.code).toBe('not_found');
    expect((await as(admin).patch(path, { name: 'Renamed' })).status).toBe(200);
    expect((await as(admin).delete(`${path}/members/${owner.jid}`)).body.code).toBe('forbidden');
    expect((await as(admin).delete(path)).body.code).toBe('forbidden');
    await expectStoresToAgree(path);
  });

  it('keeps an owner: the last one hands over before he leaves', async () => {
    const path = await makeGroup();
    expect((await as(owner).post(`${path}/leave`)).body.code).toBe('last_owner');
    expect((await as(owner).patch(`${path}/members/${owner.jid}`, { role: 'member' })).body.code).toBe('last_owner');
    expect((await as(owner).delete(`${path}/members/${owner.jid}`)).body.code).toBe('last_owner');
    expect((await as(owner).patch(`${path}/members/${admin.jid}`, { role: 'owner' })).status).toBe(200);
    expect((await as(owner).post(`${path}/leave`)).status).toBe(200);
    expect((await as(owner).get(`${path}/members`)).status).toBe(404);
    expect(room(path)?.subscribers).toEqual([admin.jid, member.jid].sort());
  });

  it('repeats harmlessly: adding twice keeps the role', async () => {
    const path = await makeGroup();
    expect((await as(owner).post(`${path}/members`, { jid: admin.jid })).status).toBe(200);
    expect((await roles(path))[admin.jid]).toBe('admin');
    expect((await as(owner).delete(`${path}/members/${stranger.jid}`)).status).toBe(404);
  });

  it('keeps out whom the room itself has banned, until he is added again', async () => {
    const path = await makeGroup();
    const affiliations = app.ejabberd.rooms.get(path.slice(1))?.affiliations;
    affiliations?.set(member.jid, 'outcast');
    await as(owner).patch(path, { name: 'After the ban' });
    expect(room(path)?.roles[member.jid]).toBe('outcast');
    expect(room(path)?.subscribers).not.toContain(member.jid);
    await as(owner).delete(`${path}/members/${member.jid}`);
    await as(owner).post(`${path}/members`, { jid: member.jid });
    await expectStoresToAgree(path);
  });

  it('follows its tables again after somebody changed or destroyed the room by XMPP', async () => {
    const changed = await makeGroup();
    const destroyed = await makeGroup();
    const affiliations = app.ejabberd.rooms.get(changed.slice(1))?.affiliations;
    affiliations?.set(stranger.jid, 'admin');
    affiliations?.delete(member.jid);
    const opened = app.ejabberd.rooms.get(changed.slice(1));
    if (opened) opened.altered = true;
    app.ejabberd.rooms.delete(destroyed.slice(1));
    await app.database.sql`UPDATE groups SET checked_at = now() - interval '1 hour'`;
    await reap();
    await expectStoresToAgree(changed);
    await expectStoresToAgree(destroyed);
    expect(opened?.altered).toBe(false);
  });

  it('comes by every room within a minute, however many there are', async () => {
    const { sql } = app.database;
    await sql`
      INSERT INTO groups (id, name, status, checked_at)
      SELECT gen_random_uuid(), 'One of many', 'active', now() - interval '1 hour' FROM generate_series(1, 1000)`;
    // What the reaper does in forty seconds.
    for (let run = 0; run < 20; run += 1) await app.app.get(GroupChanges).mendRooms(20, expectNoFailure);
    const waiting =
      await sql`SELECT FROM groups WHERE name = 'One of many' AND checked_at < now() - interval '1 minute'`;
    expect(waiting).toHaveLength(0);

    await sql`UPDATE groups SET checked_at = now() - interval '1 hour' WHERE name = 'One of many'`;
    for (let n = 0; n < 100; n += 1) app.ejabberd.failNext('readRoom', 'refuse');
    let failures = 0;
    await app.app.get(GroupChanges).mendRooms(20, () => {
      failures += 1;
    });
    expect(failures).toBe(20);
    await sql`DELETE FROM groups WHERE name = 'One of many'`;
    app.ejabberd.heal();
  });

  it('is one of two hundred at most that an account made and are there, however many it asks for at once', async () => {
    const { sql } = app.database;
    const [maker, friend] = await Promise.all([app.register('maker'), app.register('friend')]);
    await sql`
      INSERT INTO groups (id, name, status, created_by)
      SELECT gen_random_uuid(), 'Made before', 'active', ${maker.id} FROM generate_series(1, 195)`;
    const make = () => as(maker).post('', { name: 'One more', member_jids: [friend.jid] });
    const answers = await Promise.all(Array.from({ length: 10 }, make));
    const made = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(made).toHaveLength(5);
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(Array(5).fill([409, 'too_many_groups']));

    const path = `/${made[0]?.body.group_id}`;
    await as(maker).patch(`${path}/members/${friend.jid}`, { role: 'owner' });
    expect((await as(maker).post(`${path}/leave`)).status).toBe(200);
    expect((await make()).body.code).toBe('too_many_groups');
    expect((await as(friend).delete(path)).status).toBe(200);
    expect((await make()).status).toBe(201);
    await sql`DELETE FROM groups WHERE name = 'Made before'`;
  });

  it('has five hundred members at most', async () => {
    await app.database.sql`
      INSERT INTO accounts (id, username, domain, status)
      SELECT gen_random_uuid(), 'crowd_' || n, 'veil.test', 'active' FROM generate_series(1, 500) AS n`;
    const crowd = Array.from({ length: 500 }, (_, n) => `crowd_${n + 1}@veil.test`);
    const create = (jids: string[]) => as(owner).post('', { name: 'Crowd', member_jids: jids });
    const rooms = app.ejabberd.rooms.size;
    const tooMany = await create(crowd);
    expect([tooMany.status, tooMany.body.code]).toEqual([409, 'too_many_members']);
    expect(app.ejabberd.rooms.size).toBe(rooms);

    const path = `/${(await create(crowd.slice(2))).body.group_id}`;
    const added = await Promise.all(
      [admin, member, stranger].map(({ jid }) => as(owner).post(`${path}/members`, { jid })),
    );
    expect(added.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect(Object.keys(await roles(path))).toHaveLength(500);
    await expectStoresToAgree(path);
    expect((await as(owner).delete(`${path}/members/${crowd[2]}`)).status).toBe(200);
    expect((await as(owner).post(`${path}/members`, { jid: crowd[0] })).status).toBe(200);
  });

  it('leaves no group of nobody when its members go at the same time', async () => {
    const pairs = await Promise.all(
      Array.from({ length: 10 }, () => Promise.all([app.register('first'), app.register('second')])),
    );
    const gone = pairs.map(async ([first, second]) => {
      const group = await as(first).post('', { name: 'Pair', member_jids: [second.jid] });
      const { jid, password } = first;
      const deletion = app.http.delete('/api/v1/account').set(first.bearer).send({ jid, password });
      await Promise.all([deletion, as(second).post(`/${group.body.group_id}/leave`)]);
      return group.body.group_id as string;
    });
    const ids = await Promise.all(gone);
    await app.app.get(AccountRemoval).finishLeftovers(100, (error) => {
      throw error;
    });
    const ownerless = await app.database.sql`
      SELECT g.id FROM groups g WHERE g.id = ANY(${ids}) AND g.status = 'active' AND NOT EXISTS (
        SELECT FROM group_members m WHERE m.group_id = g.id AND m.role = 'owner')`;
    expect([...ownerless]).toEqual([]);
  });

  it('carries out simultaneous changes one after the other', async () => {
    const path = await makeGroup();
    const others = await Promise.all(Array.from({ length: 8 }, () => app.register('crowd')));
    const answers = await Promise.all(others.map(({ jid }) => as(owner).post(`${path}/members`, { jid })));
    expect(answers.map(({ status }) => status)).toEqual(others.map(() => 200));
    await expectStoresToAgree(path);
    expect(Object.keys(await roles(path))).toHaveLength(11);
  });

  it('passes a deleted owner’s group on, and deletes an empty one', async () => {
    const leaving = await app.register('leaving');
    const shared = await as(leaving).post('', { name: 'Shared', member_jids: [member.jid, stranger.jid] });
    const alone = await as(leaving).post('', { name: 'Alone', member_jids: [] });
    const answer = await app.http.delete('/api/v1/account').set(leaving.bearer).send(leaving);
    expect(answer.status).toBe(422); // unknown fields are refused, the account is not touched
    const { jid, password } = leaving;
    expect((await app.http.delete('/api/v1/account').set(leaving.bearer).send({ jid, password })).status).toBe(200);
    expect(app.ejabberd.rooms.has(alone.body.group_id)).toBe(false);
    const heirs = (await as(member).get(`/${shared.body.group_id}/members`)).body.members;
    expect(heirs.map(({ role }: { role: string }) => role)).toEqual(['owner', 'member']);
    expect(room(`/${shared.body.group_id}`)?.subscribers).toEqual([member.jid, stranger.jid].sort());
  });

  describe.each(['refuse', 'apply_then_cut'] as const)('when the chat server fails (%s)', (fault) => {
    let path: string;
    beforeEach(async () => {
      path = await makeGroup();
    });

    type Step = [verb: keyof Ejabberd, what: string, change: (path: string) => Promise<{ status: number }>];
    const steps: Step[] = [
      ['readRoom', 'a rename', async (group) => as(owner).patch(group, { name: 'New' })],
      ['renameRoom', 'a rename', async (group) => as(owner).patch(group, { name: 'New' })],
      ['setAffiliation', 'an addition', async (group) => as(owner).post(`${group}/members`, { jid: stranger.jid })],
      ['subscribe', 'an addition', async (group) => as(owner).post(`${group}/members`, { jid: stranger.jid })],
      ['unsubscribe', 'a removal', async (group) => as(owner).delete(`${group}/members/${member.jid}`)],
      ['setAffiliation', 'a removal', async (group) => as(owner).delete(`${group}/members/${member.jid}`)],
      [
        'setAffiliation',
        'a change of role',
        async (group) => as(owner).patch(`${group}/members/${member.jid}`, { role: 'admin' }),
      ],
      ['unsubscribe', 'leaving', async (group) => as(member).post(`${group}/leave`)],
    ];

    it.each(steps)('%s: %s changes nothing, and the room follows the tables again', async (verb, _what, change) => {
      const before = await roles(path);
      app.ejabberd.failNext(verb, fault);
      expect((await change(path)).status).toBe(503);
      expect(await roles(path)).toEqual(before);
      await reap();
      await expectStoresToAgree(path);
    });

    it.each(steps)('%s: %s succeeds when it is tried again', async (verb, _what, change) => {
      app.ejabberd.failNext(verb, fault);
      await change(path);
      expect((await change(path)).status).toBe(200);
      await expectStoresToAgree(path);
    });

    it.each(['createRoom', 'setAffiliation', 'subscribe'] as const)(
      '%s: no group and no room is left of a creation',
      async (verb) => {
        const before = (await as(owner).get('')).body.groups.length;
        const rooms = app.ejabberd.rooms.size;
        app.ejabberd.failNext(verb, fault);
        expect((await as(owner).post('', { name: 'Half', member_jids: [member.jid] })).status).toBe(503);
        expect((await as(owner).get('')).body.groups).toHaveLength(before);
        await reap();
        expect(app.ejabberd.rooms.size).toBe(rooms);
      },
    );

    it('destroyRoom: a deletion that was begun is finished', async () => {
      app.ejabberd.failNext('destroyRoom', fault);
      expect((await as(owner).delete(path)).status).toBe(503);
      expect((await as(member).get(`${path}/members`)).status).toBe(404);
      await reap();
      expect(room(path)).toBeUndefined();
      expect(await app.database.sql`SELECT 1 FROM groups WHERE id = ${path.slice(1)}`).toHaveLength(0);
    });
  });
});
