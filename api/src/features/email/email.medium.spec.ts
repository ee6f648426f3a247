import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { TestMailServer } from '../../testing/smtp.js';
import { Outbox } from './outbox.js';

const CODE = /([0-9A-Z]{5}-){3}[0-9A-Z]{5}/;
type Account = Awaited<ReturnType<TestApp['register']>>;

describe('e-mail addresses', () => {
  let server: TestMailServer;
  let app: TestApp;
  beforeAll(async () => {
    server = await TestMailServer.start();
    app = await TestApp.start(server.environment);
  });
  afterAll(async () => {
    await app.stop();
    await server.stop();
  });

  let addresses = 0;
  const newAddress = (): string => {
    addresses += 1;
    return `person${addresses}@example.org`;
  };

  const path = (rest: string): string => `/api/v1/account/${rest}`;
  const change = ({ bearer, password }: Account, email: string, body: object = { password }) =>
    app.http
      .put(path('email'))
      .set(bearer)
      .send({ email, ...body });
  const verify = ({ bearer }: Account, code: string) => app.http.post(path('email/verify')).set(bearer).send({ code });
  const forgot = (body: object) => app.http.post(path('password/forgot')).send(body);
  const reset = (code: string, new_password = 'a brand new one') =>
    app.http.post(path('password/reset')).send({ code, new_password });
  const login = (name: string, password: string) => app.http.post('/auth/login').send({ email: name, password });
  const emailOf = async ({ username }: { username: string }) => {
    const [row] = await app.database.sql`SELECT email, email_verified_at FROM accounts WHERE username = ${username}`;
    return { email: row?.email, verified: row?.email_verified_at !== null };
  };

  /** The mails that came to the address, sent now rather than by the reaper within two seconds. */
  async function mailsTo(address: string) {
    await app.app.get(Outbox).deliver(20, (error) => {
      throw error;
    });
    const waiting = async () => app.database.sql`SELECT 1 FROM mails WHERE sent_at IS NULL`;
    // The reaper may be at the one that we wait for.
    for (let turn = 0; turn < 1000 && (await waiting()).length > 0; turn += 1) await delay(10);
    return server.mails.filter(({ to }) => to[0] === address);
  }
  const codeTo = async (address: string): Promise<string> =>
    CODE.exec((await mailsTo(address)).at(-1)?.text ?? '')?.[0] ?? 'no code';

  /** An account with a proved address. */
  async function proved(): Promise<Account & { email: string }> {
    const account = { ...(await app.register()), email: newAddress() };
    await change(account, account.email);
    await verify(account, await codeTo(account.email));
    return account;
  }

  afterEach(async () => {
    await app.database.sql`DELETE FROM mails`;
    server.mails.length = 0;
  });

  describe('of an account', () => {
    it('count when their code comes back from within it', async () => {
      const [account, email] = [await app.register(), newAddress()];
      const answer = await change(account, email.toUpperCase());
      expect([answer.status, answer.body]).toEqual([202, { status: 'verification_sent' }]);
      expect(await emailOf(account)).toMatchObject({ email: null });
      const verified = await verify(account, (await codeTo(email)).toLowerCase());
      expect([verified.status, verified.body]).toEqual([200, { status: 'verified', email }]);
      expect((await login(email, account.password)).body.jid).toBe(account.jid);
      const profile = await app.http.get('/api/v1/account').set(account.bearer);
      expect(profile.body).toEqual({
        id: account.id,
        jid: account.jid,
        username: account.username,
        email,
        email_verified: true,
        google_linked: false,
        has_password: true,
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      });
    });

    it('are proved by nobody from another account', async () => {
      const [account, other, email] = [await app.register(), await app.register(), newAddress()];
      await change(account, email);
      const code = await codeTo(email);
      expect((await verify(other, code)).body.code).toBe('invalid_code');
      expect((await verify(account, code)).status).toBe(200);
      expect((await verify(account, code)).body.code).toBe('invalid_code');
    });

    it('change only with the password', async () => {
      const account = await app.register();
      expect((await change(account, newAddress(), {})).body.code).toBe('validation_failed');
      expect((await change(account, newAddress(), { password: 'wrong' })).body.code).toBe('invalid_credentials');
      expect((await app.http.put(path('email')).send({ email: newAddress() })).status).toBe(401);
    });

    it.each([
      'no address',
      'a@example.org\r\nBcc: b@example.org',
      'a@example.org\nx',
      'A <a@example.org>',
      `"a"@x.org`,
    ])('are none of %j', async (email) => {
      const answer = await change(await app.register(), email);
      expect([answer.status, answer.body.errors[0].field]).toEqual([422, 'email']);
    });

    it('are told that they were left, and their code for a new password is void', async () => {
      const account = await proved();
      await forgot({ email: account.email });
      const code = await codeTo(account.email);
      const next = newAddress();
      await change(account, next);
      expect(await emailOf(account)).toEqual({ email: account.email, verified: true });
      await verify(account, await codeTo(next));
      expect((await mailsTo(account.email)).at(-1)?.text).toContain('no longer uses this e-mail address');
      expect((await reset(code)).body.code).toBe('invalid_code');
      expect((await login(account.email, account.password)).status).toBe(401);
    });

    it('can be removed, with the password', async () => {
      const account = await proved();
      const remove = (body: object) => app.http.delete(path('email')).set(account.bearer).send(body);
      expect((await remove({ password: 'wrong' })).status).toBe(401);
      expect((await remove({ password: account.password })).status).toBe(204);
      expect(await emailOf(account)).toMatchObject({ email: null });
      expect((await mailsTo(account.email)).at(-1)?.text).toContain('no longer uses');
    });

    it('are asked to be proved when somebody registers with one', async () => {
      const [email, password] = [newAddress(), 'correct horse'];
      const { body } = await app.http.post('/auth/register').send({ email, password });
      const account = { ...body, bearer: { authorization: `Bearer ${body.token}` } };
      expect((await verify(account, await codeTo(email))).status).toBe(200);
      expect(await emailOf(account)).toEqual({ email, verified: true });
    });
  });

  describe('that another account has', () => {
    it('are taken from it by who proves them, unless it has proved them', async () => {
      const email = newAddress();
      const squatter = await app.http.post('/auth/register').send({ email, password: 'squatting here' });
      const owner = await app.register();
      await change(owner, email);
      await verify(owner, await codeTo(email));
      expect(await emailOf(owner)).toEqual({ email, verified: true });
      expect(await emailOf(squatter.body)).toEqual({ email: null, verified: false });
      expect((await login(squatter.body.jid, 'squatting here')).status).toBe(200);
      const late = await change(await app.register(), email);
      expect([late.status, late.body.code]).toEqual([409, 'email_taken']);
    });

    it('belong to the first of several who prove them at the same time', async () => {
      const email = newAddress();
      const rivals = await Promise.all(Array.from({ length: 5 }, () => app.register()));
      const codes: string[] = [];
      for (const rival of rivals) {
        await change(rival, email);
        codes.push(await codeTo(email));
      }
      const answers = await Promise.all(rivals.map((rival, index) => verify(rival, codes[index] ?? '')));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    });
  });

  describe('of somebody who forgot his password', () => {
    it('get a code that sets a new one, once, and ends every session', async () => {
      const account = await proved();
      expect((await forgot({ username: account.username })).body).toEqual({ status: 'accepted' });
      const code = await codeTo(account.email);
      const answer = await reset(code);
      expect([answer.status, answer.body]).toEqual([200, { status: 'changed' }]);
      expect(await app.database.sql`SELECT 1 FROM sessions WHERE account_id = ${account.id}`).toHaveLength(0);
      expect((await login(account.username, account.password)).status).toBe(401);
      expect((await login(account.email, 'a brand new one')).status).toBe(200);
      expect((await reset(code)).body.code).toBe('invalid_code');
      expect((await mailsTo(account.email)).at(-1)?.text).toContain('has a new password');
    });

    it('get none unless they are proved', async () => {
      const email = newAddress();
      await app.http.post('/auth/register').send({ email, password: 'correct horse' });
      await mailsTo(email);
      server.mails.length = 0;
      await forgot({ email });
      expect(await mailsTo(email)).toEqual([]);
    });

    it('are asked for with the same answer whether there are any', async () => {
      const account = await proved();
      const names = [
        { email: account.email },
        { email: 'nobody@example.org' },
        { username: 'nobody_at_all' },
        { username: 'ä' },
      ];
      for (const name of names) {
        const { status, body, headers } = await forgot(name);
        expect([status, body, headers['content-length']]).toEqual([202, { status: 'accepted' }, '21']);
      }
      expect((await forgot({})).status).toBe(422);
    });

    it('keep their code for a password that is refused', async () => {
      const account = await proved();
      await forgot({ email: account.email });
      const code = await codeTo(account.email);
      expect((await reset(code, 'password')).body.code).toBe('validation_failed');
      expect((await reset(code)).status).toBe(200);
    });

    it('use their code up once the change can only go forward, though the chat server is away', async () => {
      const account = await proved();
      await forgot({ email: account.email });
      const code = await codeTo(account.email);
      app.ejabberd.failNext('changePassword', 'refuse');
      const answer = await reset(code);
      expect([answer.status, answer.body]).toEqual([202, { status: 'changing' }]);
      expect((await reset(code)).body.code).toBe('invalid_code');
    });

    it('get their code voided by a change of password', async () => {
      const account = await proved();
      await forgot({ email: account.email });
      const code = await codeTo(account.email);
      const body = { password: account.password, new_password: 'changed by hand' };
      expect((await app.http.put(path('password')).set(account.bearer).send(body)).status).toBe(200);
      expect((await reset(code)).body.code).toBe('invalid_code');
      expect((await mailsTo(account.email)).at(-1)?.text).toContain('has a new password');
    });
  });

  it('are names and no more without a mail server, and it says so', async () => {
    const off = await TestApp.start();
    const account = await off.register();
    const answers = [
      await off.http
        .put(path('email'))
        .set(account.bearer)
        .send({ email: 'a@example.org', password: account.password }),
      await off.http.post(path('password/forgot')).send({ username: account.username }),
    ];
    for (const { status, body } of answers) {
      expect([status, body.code]).toEqual([501, 'mail_off']);
      expect(body.detail).toContain('SMTP_HOST');
    }
    const registered = await off.http
      .post('/auth/register')
      .send({ email: 'b@example.org', password: 'correct horse' });
    expect(registered.status).toBe(201);
    expect(await off.database.sql`SELECT 1 FROM mails`).toHaveLength(0);
    await off.stop();
  });
});
