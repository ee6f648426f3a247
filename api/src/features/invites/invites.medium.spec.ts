import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { InvitesService } from './invites.service.js';

const password = 'correct horse';
let names = 0;
const newName = (): string => {
  names += 1;
  return `guest_${names}`;
};

const register = (app: TestApp, body: object) =>
  app.http.post('/api/v1/account/register').send({ username: newName(), password, ...body });

describe('registration by invite', () => {
  let app: TestApp;
  let invites: InvitesService;
  beforeAll(async () => {
    app = await TestApp.start({ REGISTRATION: 'invite' });
    invites = app.app.get(InvitesService);
  });
  afterAll(() => app.stop());

  const newInvite = (uses = 1) => invites.create({ uses, days: 7 });
  const usedOf = async (id: string) => (await invites.list()).find((invite) => invite.id === id)?.used;
  const answerOf = async (body: object) => {
    const { status, body: answer } = await register(app, body);
    return { status, code: answer.code, detail: answer.detail };
  };

  it('is announced, and needs a code', async () => {
    expect((await app.http.get('/api/v1/server/info')).body.registration).toBe('invite');
    expect(await answerOf({})).toMatchObject({ status: 403, code: 'invite_required' });
  });

  it('takes as many accounts as an invite has uses, however its code is typed', async () => {
    const { id, code } = await newInvite(2);
    expect(await answerOf({ invite_code: code })).toMatchObject({ status: 201 });
    expect(await answerOf({ invite_code: ` ${code.toLowerCase().replaceAll('-', ' ')}` })).toMatchObject({
      status: 201,
    });
    expect(await usedOf(id)).toBe(2);
    expect(await answerOf({ invite_code: code })).toMatchObject({ status: 403, code: 'invite_invalid' });
  });

  it('tells a wrong, a used, an expired and a revoked code alike, whatever the name', async () => {
    const [used, expired, revoked] = await Promise.all([newInvite(), newInvite(), newInvite()]);
    await register(app, { username: 'taken_name', invite_code: used.code });
    await app.database.sql`UPDATE invites SET expires_at = now() - interval '1 s' WHERE id = ${expired.id}`;
    await invites.revoke(revoked.id);
    const codes = ['7K3QX-00000-00000-00000', 'nonsense', used.code, expired.code, revoked.code];
    for (const invite_code of codes) {
      for (const username of [newName(), 'taken_name', 'admin']) {
        const refused = { status: 403, code: 'invite_invalid', detail: 'ask for a new one' };
        expect(await answerOf({ username, invite_code })).toEqual(refused);
      }
    }
  });

  it('keeps the use of an invite with which a name was asked for that is taken', async () => {
    const { id, code } = await newInvite();
    expect(await answerOf({ username: 'taken_name', invite_code: code })).toMatchObject({ code: 'username_taken' });
    expect(await usedOf(id)).toBe(0);
  });

  it('makes one account of 50 simultaneous registrations with one use', async () => {
    const { id, code } = await newInvite();
    const answers = await Promise.all(Array.from({ length: 50 }, () => register(app, { invite_code: code })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 49 }, () => 403)]);
    expect(await usedOf(id)).toBe(1);
    const [row] = await app.database.sql`SELECT count(*)::int AS pending FROM accounts WHERE status = 'pending'`;
    expect(row?.pending).toBe(0);
  });

  it('makes ten accounts of 30 simultaneous registrations of 15 names with ten uses', async () => {
    const { id, code } = await newInvite(10);
    const wanted = Array.from({ length: 15 }, newName);
    const answers = await Promise.all(
      [...wanted, ...wanted].map((username) => register(app, { username, invite_code: code })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.filter(({ status }) => ![201, 403, 409].includes(status))).toEqual([]);
    expect(await usedOf(id)).toBe(10);
  });

  describe.each(['refuse', 'apply_then_cut'] as const)('when the chat server fails (%s)', (fault) => {
    it('gives the use back, to the next attempt at once', async () => {
      const { id, code } = await newInvite();
      const username = newName();
      app.ejabberd.failNext('register', fault);
      expect(await answerOf({ username, invite_code: code })).toMatchObject({ status: 503 });
      expect(await answerOf({ username, invite_code: code })).toMatchObject({ status: 201 });
      expect(await usedOf(id)).toBe(1);
    });

    it('gives the use back by the reaper when nobody tries again', async () => {
      const { id, code } = await newInvite();
      app.ejabberd.failNext('register', fault);
      await register(app, { invite_code: code });
      expect(await usedOf(id)).toBe(1);
      await app.finishRemovals();
      expect(await usedOf(id)).toBe(0);
      expect(await answerOf({ invite_code: code })).toMatchObject({ status: 201 });
    });
  });

  it('keeps the use of an invite with which a name was asked for that only the chat server has', async () => {
    const { id, code } = await newInvite();
    await app.ejabberd.register('by_hand', 'made by hand');
    expect(await answerOf({ username: 'by_hand', invite_code: code })).toMatchObject({ code: 'username_taken' });
    expect(await usedOf(id)).toBe(0);
  });

  it('does not give the use back with the account', async () => {
    const { id, code } = await newInvite();
    const { body } = await register(app, { invite_code: code });
    const bearer = { authorization: `Bearer ${body.token}` };
    const gone = await app.http.delete('/api/v1/account').set(bearer).send({ jid: body.jid, password });
    expect(gone.body.status).toBe('deleted');
    expect(await usedOf(id)).toBe(1);
    expect(await answerOf({ invite_code: code })).toMatchObject({ code: 'invite_invalid' });
  });

  it('keeps the hash of a code only', async () => {
    const { id, code } = await newInvite();
    const [row] = await app.database.sql`SELECT * FROM invites WHERE id = ${id}`;
    expect(row?.code_hash).toEqual(createHash('sha256').update(code.replaceAll('-', '')).digest());
    expect(JSON.stringify(row)).not.toContain(code.slice(0, 5));
  });

  it.each([{ note: 'x'.repeat(201) }, { note: 'a\u0007' }, { uses: 0 }, { days: 0 }, { uses: 1.5 }])(
    'is not made of %j',
    async (wrong) => {
      await expect(invites.create({ uses: 1, days: 1, ...wrong })).rejects.toMatchObject({ code: 'validation_failed' });
    },
  );

  it('lists invites, and revokes one that there is', async () => {
    const { id, code } = await invites.create({ uses: 3, days: 1, note: 'for the choir' });
    await register(app, { invite_code: code });
    const listed = { id, note: 'for the choir', uses: 3, used: 1, revokedAt: null };
    expect((await invites.list()).at(-1)).toMatchObject(listed);
    await invites.revoke(id);
    expect((await invites.list()).at(-1)?.revokedAt).not.toBeNull();
    for (const unknown of ['00000000-0000-4000-8000-000000000000', 'nonsense']) {
      await expect(invites.revoke(unknown)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('forgets invites a month after their end, but none that a registration holds', async () => {
    const [old, held, recent] = await Promise.all([newInvite(), newInvite(), newInvite()]);
    app.ejabberd.failNext('register', 'refuse');
    await register(app, { invite_code: held.code });
    const { sql } = app.database;
    await sql`UPDATE invites SET expires_at = now() - interval '31 days' WHERE id IN ${sql([old.id, held.id])}`;
    await sql`UPDATE invites SET expires_at = now() - interval '29 days' WHERE id = ${recent.id}`;
    await invites.removeEnded(1);
    const left = (await invites.list()).map(({ id }) => id);
    expect([old, held, recent].map(({ id }) => left.includes(id))).toEqual([false, true, true]);
    await app.finishRemovals();
    await invites.removeEnded(1);
    expect(await usedOf(held.id)).toBeUndefined();
  });
});

describe('wrong codes', () => {
  it('are looked at ten times an hour from one address; right ones are not counted', async () => {
    const app = await TestApp.start({ REGISTRATION: 'invite', RATE_LIMIT_FACTOR: '1' });
    const { code } = await app.app.get(InvitesService).create({ uses: 3, days: 1 });
    const answers = [];
    for (let guess = 0; guess < 9; guess += 1) answers.push(await register(app, { invite_code: 'nonsense' }));
    answers.push(await register(app, { invite_code: code }), await register(app, { invite_code: code }));
    answers.push(await register(app, { invite_code: 'nonsense' }), await register(app, { invite_code: code }));
    await app.stop();
    expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 9 }, () => 403), 201, 201, 403, 429]);
  });
});

describe.each([
  ['open', 201, undefined],
  ['closed', 403, 'registration_closed'],
] as const)('registration that is %s', (mode, status, code) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start({ REGISTRATION: mode });
  });
  afterAll(() => app.stop());

  it(`answers ${status}, with an invite or without, which stays unused`, async () => {
    expect((await app.http.get('/api/v1/server/info')).body.registration).toBe(mode);
    const invites = app.app.get(InvitesService);
    const invite = await invites.create({ uses: 1, days: 1 });
    for (const body of [{}, { invite_code: invite.code }, { invite_code: 'nonsense' }]) {
      const answer = await register(app, body);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    }
    expect((await invites.list())[0]?.used).toBe(0);
  });
});
