import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { finishAll } from '../../testing/finish-all.js';
import { LoginService } from './login.service.js';
import { sipCredentials } from './password.js';
import { PasswordChange } from './password-change.js';

type Account = Awaited<ReturnType<TestApp['register']>>;

const WANTED = 'another good passphrase';

describe('changing the password', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.stop());

  const change = ({ bearer, password }: Account, body: object = {}) =>
    app.http
      .put('/api/v1/account/password')
      .set(bearer)
      .send({ password, new_password: WANTED, ...body });
  const statusOf = async ({ bearer }: Account) => (await app.http.get('/api/v1/groups').set(bearer)).status;
  const login = ({ username }: Account, password: string) =>
    app.http.post('/api/v1/account/login').send({ username, password });
  const finishLater = async () => {
    const { sql } = app.database;
    await sql`UPDATE password_changes SET lease_until = now() - interval '1 minute'`;
    const finish = () => app.app.get(PasswordChange).finishLeftovers(100, () => {});
    await finishAll(finish, () => sql`SELECT FROM password_changes`);
  };
  /** Which of both passwords each store has, and what is under way. */
  const stores = async ({ id, username, password }: Account) => {
    const [row] = await app.database.sql`SELECT ha1 FROM kamailio.subscriber WHERE username = ${username}`;
    const ha1 = (text: string) => sipCredentials(username, 'veil.test', text).ha1;
    const changes = await app.database.sql`SELECT FROM password_changes WHERE account_id = ${id}`;
    return {
      chat: app.ejabberd.accounts.get(username) === password ? 'old' : 'new',
      sip: row?.ha1 === ha1(password) ? 'old' : row?.ha1 === ha1(WANTED) ? 'new' : 'none',
      underWay: changes.length,
    };
  };
  const OLD = { chat: 'old', sip: 'old', underWay: 0 };
  const NEW = { chat: 'new', sip: 'new', underWay: 0 };

  it('changes it everywhere, and ends every session but the own', async () => {
    const account = await app.register();
    const other = (await login(account, account.password)).body;
    const answer = await change(account);
    expect([answer.status, answer.body]).toEqual([200, { status: 'changed' }]);
    expect(await stores(account)).toEqual(NEW);
    expect(await statusOf(account)).toBe(200);
    expect((await app.http.get('/api/v1/groups').set('authorization', `Bearer ${other.token}`)).status).toBe(401);
    expect([(await login(account, account.password)).status, (await login(account, WANTED)).status]).toEqual([
      401, 200,
    ]);
  });

  it.each([
    ['the wrong password', { password: 'wrong' }, 'invalid_credentials'],
    ['none', { password: undefined }, 'validation_failed'],
    ['a common new one', { new_password: 'password1' }, 'validation_failed'],
    ['a short new one', { new_password: 'x' }, 'validation_failed'],
  ])('refuses %s, and changes nothing', async (_, body, code) => {
    const account = await app.register();
    expect((await change(account, body)).body.code).toBe(code);
    expect(await stores(account)).toEqual(OLD);
  });

  it.each(['refuse', 'apply_then_cut'] as const)('goes forward when the chat server fails (%s)', async (fault) => {
    const account = await app.register();
    app.ejabberd.failNext('changePassword', fault);
    const answer = await change(account);
    expect([answer.status, answer.body.status]).toEqual([202, 'changing']);
    expect((await stores(account)).underWay).toBe(1);
    expect((await change(account)).body.code).toMatch(/account_busy|invalid_credentials/);
    await finishLater();
    expect(await stores(account)).toEqual(NEW);
  });

  it('is through as soon as somebody logs in with the new one, whose session goes on', async () => {
    const account = await app.register();
    const other = (await login(account, account.password)).body;
    app.ejabberd.failNext('changePassword', 'apply_then_cut');
    expect((await change(account)).status).toBe(202);
    const answer = await login(account, WANTED);
    expect(answer.status).toBe(200);
    expect(await stores(account)).toEqual(NEW);
    await finishLater();
    const tokens = [answer.body.token, other.token].map((token) => ({
      ...account,
      bearer: { authorization: `Bearer ${token}` },
    }));
    expect(await Promise.all(tokens.map(statusOf))).toEqual([200, 401]);
  });

  it('keeps the new password out of the database while it is under way', async () => {
    const account = await app.register();
    app.ejabberd.failNext('changePassword', 'refuse');
    await change(account);
    const [row] = await app.database
      .sql`SELECT p::text AS text FROM password_changes p WHERE account_id = ${account.id}`;
    expect(row?.text).not.toContain(Buffer.from(WANTED).toString('hex'));
    await finishLater();
  });

  it('lets one of 20 simultaneous changes through, and both stores agree on it', async () => {
    const account = await app.register();
    const wanted = Array.from({ length: 20 }, (_, index) => `a good passphrase ${index}`);
    const answers = await Promise.all(wanted.map((new_password) => change(account, { new_password })));
    const codes = answers.filter(({ status }) => status !== 200).map(({ body }) => body.code);
    expect(codes.length).toBeGreaterThan(0);
    for (const code of codes) expect(code).toMatch(/account_busy|invalid_credentials/);
    const [row] = await app.database.sql`SELECT ha1 FROM kamailio.subscriber WHERE username = ${account.username}`;
    const present = app.ejabberd.accounts.get(account.username) ?? '';
    expect(row?.ha1).toBe(sipCredentials(account.username, 'veil.test', present).ha1);
  });

  it('opens no session with a password that was changed since the login began', async () => {
    const account = await app.register();
    const startedAt = new Date();
    await change(account);
    const opened = app.app.get(LoginService).open(account, {}, new Date(startedAt.getTime() - 1));
    await expect(opened).rejects.toMatchObject({ code: 'invalid_credentials' });
  });

  it('gives an account without a password its first one, after a recent login only', async () => {
    const account = await app.register();
    await app.database.sql`UPDATE accounts SET has_password = false WHERE id = ${account.id}`;
    await app.database
      .sql`UPDATE sessions SET authenticated_at = now() - interval '1 hour' WHERE account_id = ${account.id}`;
    expect((await change(account, { password: undefined })).body.code).toBe('reauthentication_required');
    await app.database.sql`UPDATE sessions SET authenticated_at = now() WHERE account_id = ${account.id}`;
    expect((await change(account, { password: undefined })).status).toBe(200);
    expect(await stores(account)).toEqual(NEW);
    expect((await change(account, { password: undefined })).body.code).toBe('validation_failed');
  });
});

describe('guessing passwords', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start({ RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: '127.0.0.1' });
  });
  afterAll(() => app.stop());

  let addresses = 0;
  const newAddress = () => `198.51.100.${++addresses}`;
  const login = (username: string, password: string, address: string) =>
    app.http.post('/api/v1/account/login').set('x-forwarded-for', address).send({ username, password });
  const statuses = async (tries: number, once: () => Promise<{ status: number }>) => {
    const all: number[] = [];
    for (let each = 0; each < tries; each += 1) all.push((await once()).status);
    return all;
  };

  it.each(['known', 'unknown'])('closes a %s account to who fails five times, not to a clean address', async (kind) => {
    const account = await app.register();
    const name = kind === 'known' ? account.username : 'nobody_has_it';
    const guesser = newAddress();
    expect(await statuses(7, () => login(name, 'wrong', guesser))).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const refused = await login(name, account.password, guesser);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await login(name, account.password, newAddress())).status).toBe(kind === 'known' ? 200 : 401);
  });

  it('gives an address that has failed elsewhere no further try at an account that is guessed at', async () => {
    const { username } = await app.register();
    await statuses(5, () => login(username, 'wrong', newAddress()));
    const failed = newAddress();
    await login('somebody_else', 'wrong', failed);
    expect((await login(username, 'wrong', failed)).status).toBe(429);
  });

  it('counts tries that come at the same time', async () => {
    const { username } = await app.register();
    const guesser = newAddress();
    const answers = await Promise.all(Array.from({ length: 15 }, () => login(username, 'wrong', guesser)));
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(5);
  });

  it('counts nothing that succeeded, or that could not be judged', async () => {
    const { username, password } = await app.register();
    const address = newAddress();
    expect(await statuses(8, () => login(username, password, address))).toEqual(Array(8).fill(200));
    for (let each = 0; each < 6; each += 1) {
      app.ejabberd.failNext('checkPassword', 'refuse');
      expect((await login(username, password, address)).status).toBe(503);
    }
    expect((await login(username, password, address)).status).toBe(200);
  });
});
