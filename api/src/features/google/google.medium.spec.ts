import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { FakeGoogle } from '../../testing/google.js';
import { AccountSuspension } from '../account/account-suspension.js';
import { InvitesService } from '../invites/invites.service.js';

describe('sign-in with Google', () => {
  let google: FakeGoogle;
  let app: TestApp;
  beforeAll(async () => {
    google = await FakeGoogle.start();
    app = await TestApp.start(google.environment);
  });
  afterAll(async () => {
    await app.stop();
    await google.stop();
  });
  beforeEach(() => {
    google.up = true;
  });

  let people = 0;
  const nextPerson = (): number => {
    people += 1;
    return people;
  };
  const newSub = (): string => `1000${nextPerson()}`;
  const newAddress = (): string => `person${nextPerson()}@example.org`;

  const signIn = async (claims: object, body: object = {}, path = '/api/v1/account/google') =>
    app.http.post(path).send({ id_token: await google.token({ sub: newSub(), ...claims }), ...body });
  const accountOf = async (sub: string) => app.database.sql`SELECT * FROM accounts WHERE google_sub = ${sub}`;
  const subscribersOf = async (username: string) =>
    app.database.sql`SELECT 1 FROM kamailio.subscriber WHERE username = ${username}`;

  it('creates an account the first time and opens the same one from then on, under every path', async () => {
    const sub = newSub();
    const first = await signIn({ sub });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ created: true, token_type: 'Bearer', user_id: expect.any(Number) });
    expect(first.body.jid).toMatch(/^user_[0-9a-z]{10}@veil.test$/);
    for (const path of ['/auth/google', '/api/v1/auth/google']) {
      const again = await signIn({ sub, iss: 'accounts.google.com' }, {}, path);
      expect([again.status, again.body]).toMatchObject([200, { created: false, jid: first.body.jid }]);
      const bearer = { authorization: `Bearer ${again.body.token}` };
      expect((await app.http.get('/api/v1/turn/credentials').set(bearer)).status).toBe(200);
    }
  });

  it('makes a user of the chat server with a password that nobody knows, and none for phones', async () => {
    const sub = newSub();
    const { body } = await signIn({ sub });
    const username = body.jid.split('@', 1)[0];
    expect(app.ejabberd.accounts.get(username)).toHaveLength(43);
    expect(await subscribersOf(username)).toHaveLength(0);
    expect(await accountOf(sub)).toMatchObject([{ has_password: false, status: 'active' }]);
  });

  it('gives the name that is wished for, by the rules, if it is free', async () => {
    const sub = newSub();
    expect((await signIn({ sub }, { username: 'Google_Fan' })).body.jid).toBe('google_fan@veil.test');
    expect((await signIn({ sub }, { username: 'another_wish' })).body.jid).toBe('google_fan@veil.test');
    expect((await signIn({}, { username: 'google_fan' })).body.code).toBe('username_taken');
    expect((await signIn({}, { username: 'admin' })).body.code).toBe('validation_failed');
    const { body } = await signIn({ email: 'telling.name@example.org', email_verified: true });
    expect(body.jid).not.toContain('telling');
  });

  it('makes one account of 50 simultaneous first sign-ins', async () => {
    const id_token = await google.token({ sub: newSub(), email: newAddress(), email_verified: true });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, device) =>
        app.http.post('/api/v1/account/google').send({ id_token, ...(device % 2 ? { username: 'raced_name' } : {}) }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(new Set(answers.map(({ body }) => body.jid)).size).toBe(1);
    expect(answers.filter(({ body }) => body.created)).toHaveLength(1);
    expect(await app.database.sql`SELECT 1 FROM accounts WHERE status <> 'active'`).toHaveLength(0);
  });

  it('is done by the next attempt after the chat server failed', async () => {
    const sub = newSub();
    app.ejabberd.failNext('register', 'apply_then_cut');
    expect((await signIn({ sub })).body.code).toBe('chat_server_unavailable');
    expect((await signIn({ sub })).body.created).toBe(true);
  });

  describe('never goes by the address:', () => {
    it('keeps one that Google vouches for and nobody has, as proved', async () => {
      const [sub, email] = [newSub(), newAddress()];
      await signIn({ sub, email: email.toUpperCase(), email_verified: true });
      expect(await accountOf(sub)).toMatchObject([{ email, email_verified_at: expect.any(Date) }]);
    });

    it('keeps none that Google does not vouch for', async () => {
      const sub = newSub();
      await signIn({ sub, email: newAddress(), email_verified: false });
      expect(await accountOf(sub)).toMatchObject([{ email: null }]);
    });

    it.each([
      ['verified', true, false],
      ['unverified', false, false],
      ['verified', true, true],
      ['unverified', false, true],
    ])('a %s one that somebody has (%s, %s) opens nothing and stays where it is', async (_, vouched, proved) => {
      const [sub, email] = [newSub(), newAddress()];
      const body = { username: `owner_${sub}`, email, password: 'correct horse' };
      const owner = await app.http.post('/api/v1/account/register').send(body);
      if (proved) await app.database.sql`UPDATE accounts SET email_verified_at = now() WHERE email = ${email}`;
      const stranger = await signIn({ sub, email, email_verified: vouched });
      expect([stranger.status, stranger.body.created]).toEqual([200, true]);
      expect(stranger.body.jid).not.toBe(owner.body.jid);
      expect(await accountOf(sub)).toMatchObject([{ email: null, email_verified_at: null }]);
      const login = await app.http.post('/auth/login').send({ email, password: 'correct horse' });
      expect(login.body.jid).toBe(owner.body.jid);
    });
  });

  it('refuses tokens of others, and says what is wrong', async () => {
    const answer = await signIn({ aud: 'stranger.apps' });
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
      401,
      'invalid_id_token',
      'its aud is not accepted',
    ]);
    expect((await app.http.post('/api/v1/account/google').send({ id_token: 'x' })).status).toBe(401);
    expect((await app.http.post('/api/v1/account/google').send({})).status).toBe(422);
  });

  it('frees the Google account with the account', async () => {
    const sub = newSub();
    const { body } = await signIn({ sub });
    const username = body.jid.split('@', 1)[0];
    app.ejabberd.accounts.set(username, 'a known one');
    const bearer = { authorization: `Bearer ${body.token}` };
    await app.http.delete('/api/v1/account').set(bearer).send({ jid: body.jid, password: 'a known one' });
    const again = await signIn({ sub });
    expect([again.body.created, again.body.user_id === body.user_id]).toEqual([true, false]);
  });

  describe('beside another way in', () => {
    const link = async (bearer: { authorization: string }, sub: string) =>
      app.http
        .post('/api/v1/account/google/link')
        .set(bearer)
        .send({ id_token: await google.token({ sub }) });
    const unlink = (bearer: { authorization: string }) => app.http.delete('/api/v1/account/google').set(bearer);

    it('opens the account that it was linked to, until it is unlinked', async () => {
      const [account, sub] = [await app.register(), newSub()];
      expect((await link(account.bearer, sub)).status).toBe(204);
      expect((await link(account.bearer, sub)).status).toBe(204);
      expect((await signIn({ sub })).body).toMatchObject({ created: false, jid: account.jid });
      const profile = await app.http.get('/api/v1/account').set(account.bearer);
      expect(profile.body).toMatchObject({ google_linked: true, email: null, email_verified: false });
      expect((await unlink(account.bearer)).status).toBe(204);
      expect((await unlink(account.bearer)).status).toBe(204);
      expect((await signIn({ sub })).body).toMatchObject({ created: true });
    });

    it('opens one account, and an account has one', async () => {
      const [first, second, sub] = [await app.register(), await app.register(), newSub()];
      await link(first.bearer, sub);
      expect((await link(second.bearer, sub)).body.code).toBe('google_account_taken');
      expect((await link(first.bearer, newSub())).body.code).toBe('google_account_taken');
    });

    it('is linked and unlinked soon after a login only', async () => {
      const account = await app.register();
      await app.database.sql`
        UPDATE sessions SET authenticated_at = now() - interval '11 minutes' WHERE account_id = ${account.id}`;
      for (const answer of [await link(account.bearer, newSub()), await unlink(account.bearer)]) {
        expect([answer.status, answer.body.code]).toEqual([403, 'reauthentication_required']);
      }
    });

    it('can be unlinked once a password is set, which needs none before', async () => {
      const sub = newSub();
      const { body } = await signIn({ sub });
      const bearer = { authorization: `Bearer ${body.token}` };
      const change = { new_password: 'the first of its own' };
      expect((await app.http.put('/api/v1/account/password').set(bearer).send(change)).status).toBe(200);
      expect(await subscribersOf(body.username)).toHaveLength(1);
      expect((await unlink(bearer)).status).toBe(204);
      const login = { username: body.username, password: change.new_password };
      expect((await app.http.post('/auth/login').send(login)).status).toBe(200);
    });

    it('can not be unlinked when it is the only one', async () => {
      const sub = newSub();
      const { body } = await signIn({ sub });
      const answer = await unlink({ authorization: `Bearer ${body.token}` });
      expect([answer.status, answer.body.code]).toEqual([409, 'last_way_in']);
      expect(await accountOf(sub)).toHaveLength(1);
    });
  });

  it('needs an invite for a new account where every registration does, and opens the account without one from then on', async () => {
    const invited = await TestApp.start({ ...google.environment, REGISTRATION: 'invite' });
    const { code } = await invited.app.get(InvitesService).create({ uses: 1, days: 1 });
    const id_token = await google.token({ sub: newSub() });
    const ask = (body: object = {}) => invited.http.post('/auth/google').send({ id_token, ...body });
    expect((await ask()).body.code).toBe('invite_required');
    expect((await ask({ invite_code: 'nonsense' })).body.code).toBe('invite_invalid');
    expect((await ask({ invite_code: code })).body.created).toBe(true);
    expect((await ask()).body.created).toBe(false);
    await invited.stop();
  });

  it('tells who is suspended, and lets him in when he is not', async () => {
    const sub = newSub();
    const { body } = await signIn({ sub });
    await app.app.get(AccountSuspension).suspend(await app.accountId(body.username));
    expect((await signIn({ sub })).body.code).toBe('account_suspended');
    await app.app.get(AccountSuspension).resume(await app.accountId(body.username));
    expect((await signIn({ sub })).body).toMatchObject({ created: false, jid: body.jid });
  });

  it('is unavailable while the keys of Google can not be had', async () => {
    const cold = await TestApp.start(google.environment);
    google.up = false;
    const answer = await cold.http.post('/auth/google').send({ id_token: await google.token({ sub: newSub() }) });
    expect([answer.status, answer.body.code]).toEqual([503, 'identity_provider_unavailable']);
    expect(answer.headers['retry-after']).toBe('10');
    await cold.stop();
  });

  it('is off, clearly, without a client id', async () => {
    const off = await TestApp.start();
    const answer = await off.http.post('/auth/google').send({ id_token: await google.token({ sub: newSub() }) });
    expect([answer.status, answer.body.code]).toEqual([501, 'google_sign_in_off']);
    expect(answer.body.detail).toContain('GOOGLE_CLIENT_IDS');
    await off.stop();
  });
});
