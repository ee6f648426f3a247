import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { finishAll } from '../../testing/finish-all.js';
import { until } from '../../testing/until.js';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';
import { SessionEnding } from './session-ending.js';

type Account = Awaited<ReturnType<TestApp['register']>>;

describe('sessions', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.stop());

  const post = (path: string, body: object) => app.http.post(`/api/v1/account/${path}`).send(body);
  const login = async ({ username, password }: Account, device: object = {}) =>
    (await post('login', { username, password, ...device })).body;
  const refresh = (refresh_token: string) => post('refresh', { refresh_token });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const finishEndings = async () => {
    const { sql } = app.database;
    await sql`UPDATE session_endings SET due_at = now() - interval '1 minute'`;
    const finish = () => app.app.get(SessionEnding).finishLeftovers(100, () => {});
    await finishAll(finish, () => sql`SELECT FROM session_endings`);
  };
  const statusOf = async (token: string) => (await app.http.get('/api/v1/groups').set(bearer(token))).status;
  const list = async (token: string) =>
    (await app.http.get('/api/v1/account/sessions').set(bearer(token))).body.sessions;
  const passTime = (table: 'used_refresh_tokens' | 'sessions', column: string, interval: string) =>
    app.database.sql.unsafe(`UPDATE ${table} SET ${column} = ${column} - interval '${interval}'`);

  describe('refresh tokens', () => {
    it('are exchanged for the next one and an access token', async () => {
      const account = await app.register();
      const { refresh_token, session_id, device_id } = await login(account);
      const answer = await refresh(refresh_token);
      expect([answer.status, answer.body.session_id, answer.body.device_id]).toEqual([200, session_id, device_id]);
      expect(answer.body.refresh_token).not.toBe(refresh_token);
      expect(await statusOf(answer.body.access_token)).toBe(200);
      expect((await refresh(answer.body.refresh_token)).status).toBe(200);
    });

    it('are kept as hashes only', async () => {
      const { refresh_token } = await login(await app.register());
      const { body } = await refresh(refresh_token);
      const rows = await app.database.sql`
        SELECT s::text AS text FROM sessions s UNION ALL SELECT u::text FROM used_refresh_tokens u`;
      const text = rows.map((row) => row.text).join();
      for (const token of [refresh_token, body.refresh_token]) {
        const secret = Buffer.from(token.split('.')[1], 'base64url');
        expect(text).not.toContain(secret.toString('hex'));
        expect(text).not.toContain(token.split('.')[1]);
      }
    });

    it('serve the retry of a lost answer, and 20 at once, with the same successor', async () => {
      const { refresh_token } = await login(await app.register());
      const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(refresh_token)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
      expect((await refresh(answers[0]?.body.refresh_token)).status).toBe(200);
    });

    it('end the session when one comes again too late, or after its successor was used', async () => {
      for (const spoil of [
        () => passTime('used_refresh_tokens', 'used_at', '31 seconds'),
        (next: string) => refresh(next),
      ]) {
        const { refresh_token, access_token } = await login(await app.register());
        const { body } = await refresh(refresh_token);
        await spoil(body.refresh_token);
        const copied = await refresh(refresh_token);
        expect([copied.status, copied.body.code]).toEqual([401, 'invalid_refresh_token']);
        expect(await statusOf(access_token)).toBe(401);
        expect((await refresh(body.refresh_token)).status).toBe(401);
      }
    });

    it('are refused when they are expired, cut, altered, or of a session that has ended, which changes nothing', async () => {
      const account = await app.register();
      const { refresh_token, access_token, session_id } = await login(account);
      const forged = `${session_id}.${Buffer.alloc(32).toString('base64url')}`;
      for (const token of [refresh_token.slice(0, -4), forged, 'x', `${refresh_token}.x`, access_token.slice(0, 200)]) {
        expect((await refresh(token)).body.code).toBe('invalid_refresh_token');
      }
      expect(await statusOf(access_token)).toBe(200);
      await passTime('sessions', 'expires_at', '91 days');
      expect((await refresh(refresh_token)).body.code).toBe('invalid_refresh_token');
    });
  });

  it('are listed with their devices, the last used first, and one for each device', async () => {
    const account = await app.register();
    const phone = await login(account, { device_id: 'phone-1', device_name: "Alice's phone" });
    const again = await login(account, { device_id: 'phone-1', device_name: "Alice's phone" });
    const sessions = await list(again.token);
    expect(sessions).toHaveLength(2);
    expect(sessions[0]).toMatchObject({
      id: again.session_id,
      current: true,
      device_id: 'phone-1',
      device_name: "Alice's phone",
    });
    expect(sessions[1].device_id).toBe(sessions[1].id);
    expect((await refresh(phone.refresh_token)).status).toBe(401);
  });

  it('refuse a device id that could be no resource', async () => {
    const { username, password } = await app.register();
    const answer = await post('login', { username, password, device_id: 'a b' });
    expect([answer.status, answer.body.errors[0].field]).toEqual([422, 'device_id']);
  });

  describe('end', () => {
    const end = (token: string, id = '') =>
      app.http.delete(`/api/v1/account/sessions${id && `/${id}`}`).set(bearer(token));

    it('one by one, with what belongs to their device', async () => {
      const account = await app.register();
      const [mine, lost] = [await login(account), await login(account, { device_id: 'lost' })];
      await app.database.sql`
        INSERT INTO kamailio.location (ruid, username, domain, contact, instance) VALUES
          ('1', ${account.username}, 'veil.test', 'sip:a', '"<urn:uuid:lost>"'),
          ('2', ${account.username}, 'veil.test', 'sip:b', '"<urn:uuid:other>"')`;
      const answer = await end(mine.token, lost.session_id);
      expect([answer.status, answer.body]).toEqual([200, { status: 'ended' }]);
      expect([await statusOf(lost.token), await statusOf(mine.token)]).toEqual([401, 200]);
      expect(app.ejabberd.ended).toContain(account.username);
      expect(app.kamailio.removed.filter((contact) => contact.startsWith(account.jid))).toEqual([
        `${account.jid} sip:a`,
      ]);
      expect((await end(mine.token, lost.session_id)).status).toBe(404);
    });

    it("never somebody else's", async () => {
      const [mine, theirs] = [await login(await app.register()), await login(await app.register())];
      expect((await end(mine.token, theirs.session_id)).status).toBe(404);
      expect((await end(mine.token, 'no-id')).status).toBe(404);
      expect(await statusOf(theirs.token)).toBe(200);
    });

    it.each<
      [
        what: string,
        end: (token: string, lost: { session_id: string; device_id: string }) => PromiseLike<{ status: number }>,
      ]
    >([
      ['one', (token, { session_id }) => end(token, session_id)],
      ['all but the one that asks', (token) => end(token)],
      ["a device's", (token, { device_id }) => app.http.delete(`/devices/${device_id}`).set(bearer(token))],
    ])('and disturb nobody whose token is looked at meanwhile: %s', async (_what, ends) => {
      const [account, stranger] = [await app.register(), await app.register()];
      const device = { device_id: `phone-of-${account.username}` };
      const [mine, lost] = [await login(account), await login(account, device)];
      await app.http
        .post('/devices/register')
        .set(bearer(mine.token))
        .send({ ...device, pubkey: 'key' });
      const looks: PromiseWithResolvers<string | undefined>[] = [];
      const deviceOf = jest.spyOn(app.app.get(SessionRepository), 'deviceOf').mockImplementation(() => {
        const look = Promise.withResolvers<string | undefined>();
        looks.push(look);
        return look.promise;
      });
      const requests = [statusOf(stranger.token), statusOf(lost.token)];
      await until(() => looks.length === 2);
      deviceOf.mockRestore();
      expect((await ends(mine.token, lost)).status).toBe(200);
      // What was found before is no longer true, and is not kept.
      for (const look of looks) look.resolve('lost');
      expect(await Promise.all(requests)).toEqual([200, 200]);
      expect([await statusOf(stranger.token), await statusOf(lost.token)]).toEqual([200, 401]);
    });

    it('all but the one that asks, and by logging out', async () => {
      const account = await app.register();
      const mine = await login(account);
      expect((await end(mine.token)).status).toBe(200);
      expect([await statusOf(account.token), await statusOf(mine.token)]).toEqual([401, 200]);
      await app.http.post('/api/v1/account/logout').set(bearer(mine.token));
      expect(await statusOf(mine.token)).toBe(401);
    });

    it('at once when the chat server is away; their streams when it is back', async () => {
      const account = await app.register();
      app.ejabberd.failNext('endStreams', 'refuse');
      const answer = await app.http.post('/api/v1/account/logout').set(account.bearer);
      expect([answer.status, answer.body.status]).toEqual([202, 'ending']);
      expect(await statusOf(account.token)).toBe(401);
      await finishEndings();
      expect(app.ejabberd.ended).toContain(account.username);
    });

    it('leave alone what has logged in again on the device', async () => {
      const account = await app.register();
      const lost = await login(account, { device_id: 'found' });
      app.ejabberd.failNext('endStreams', 'refuse');
      await end(account.token, lost.session_id);
      await login(account, { device_id: 'found' });
      await finishEndings();
      expect(app.ejabberd.ended).not.toContain(account.username);
    });
  });

  it('ask for a recent login', async () => {
    const account = await app.register();
    const { session_id: sessionId, device_id: deviceId } = await login(account);
    const caller = { ...account, accountId: account.id, sessionId, deviceId };
    const sessions = app.app.get(SessionService);
    await sessions.requireRecent(caller, 60);
    await passTime('sessions', 'authenticated_at', '61 seconds');
    await expect(sessions.requireRecent(caller, 60)).rejects.toMatchObject({ code: 'reauthentication_required' });
  });
});

it('tokens of the previous secret are still accepted, those of others and of no algorithm are not', async () => {
  const secrets = ['first', 'second', 'third'].map((word) => `${word}-0123456789abcdefghijklmnopqrstuvwxyz`);
  const [first = '', second = '', third = ''] = secrets;
  const before = await TestApp.start({ JWT_SECRET: first });
  const { token } = await before.register();
  await before.restart({ JWT_SECRET: second, JWT_PREVIOUS_SECRET: first });
  const ask = (text: string) => before.http.get('/api/v1/groups').set('authorization', `Bearer ${text}`);
  expect((await ask(token)).status).toBe(200);
  const [, claims, signature] = token.split('.');
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  for (const forged of [`${none}.${claims}.`, `${none}.${claims}.${signature}`]) {
    expect((await ask(forged)).status).toBe(401);
  }
  await before.restart({ JWT_SECRET: third, JWT_PREVIOUS_SECRET: second });
  expect((await ask(token)).status).toBe(401);
  await before.stop();
});
