import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { SessionService } from '../sessions/session.service.js';
import { AccountRepository } from './account.repository.js';
import { sipCredentials } from './password.js';

describe('accounts', () => {
  let app: TestApp;
  beforeAll(async () => {
    // Some of these stories are about whoever has the name next.
    app = await TestApp.start({ NAME_QUARANTINE_DAYS: '0' });
  });
  afterAll(() => app.stop());

  const register = (username: string, password = 'correct horse') =>
    app.http.post('/api/v1/account/register').send({ username, password });
  const login = (username: string, password = 'correct horse') =>
    app.http.post('/api/v1/account/login').send({ username, password });

  /** Whatever the stores hold of a name. */
  async function traces(username: string) {
    const { sql } = app.database;
    const accounts = await sql`SELECT status FROM accounts WHERE username = ${username}`;
    const subscribers = await sql`SELECT 1 FROM kamailio.subscriber WHERE username = ${username}`;
    return {
      accounts: accounts.map(({ status }) => status as string),
      subscribers: subscribers.length,
      chat: app.ejabberd.accounts.has(username),
    };
  }

  const nothing = { accounts: [], subscribers: 0, chat: false };
  const everything = { accounts: ['active'], subscribers: 1, chat: true };

  it('registers in every store, folds the name, and answers with a token that works', async () => {
    const answer = await register('Alice_1');
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ status: 'registered', jid: 'alice_1@veil.test', token_type: 'Bearer' });
    expect(await traces('alice_1')).toEqual(everything);
    const bearer = { authorization: `Bearer ${answer.body.token}` };
    expect((await app.http.get('/api/v1/turn/credentials').set(bearer)).status).toBe(200);
  });

  it("stores what Kamailio's digest needs and never the password", async () => {
    await register('digest_user');
    const [row] = await app.database.sql`SELECT * FROM kamailio.subscriber WHERE username = 'digest_user'`;
    expect(row).toMatchObject({
      domain: 'veil.test',
      password: '',
      // md5('digest_user:veil.test:correct horse'), computed with another program
      ha1: '4a667f9d4cc6bb9040b04865c2626059',
      ha1b: '404dc36fe239c320c34e5e03fc1e3256',
    });
  });

  it('refuses a name that is taken, whatever its case', async () => {
    await register('carol');
    const answer = await register('CAROL', 'another password');
    expect(answer.status).toBe(409);
    expect(answer.body.code).toBe('username_taken');
    expect((await login('carol')).status).toBe(200);
  });

  it('refuses a name that only the chat server has, and leaves that user alone', async () => {
    await app.ejabberd.register('operator_made', 'made by hand');
    expect((await register('operator_made')).body.code).toBe('username_taken');
    expect(app.ejabberd.accounts.get('operator_made')).toBe('made by hand');
    expect(await traces('operator_made')).toEqual({ ...nothing, chat: true });
  });

  it('gives one of 50 simultaneous registrations the name', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => register('race')));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 49 }, () => 409)]);
    expect(await traces('race')).toEqual(everything);
  });

  describe.each(['refuse', 'apply_then_cut'] as const)('when the chat server fails (%s)', (fault) => {
    it('registers nothing, and the next attempt succeeds', async () => {
      const username = `reg_${fault}`;
      app.ejabberd.failNext('register', fault);
      const failed = await register(username);
      expect(failed.status).toBe(503);
      expect(failed.body.code).toBe('chat_server_unavailable');
      expect((await traces(username)).subscribers).toBe(0);
      expect((await register(username, 'a second attempt')).status).toBe(201);
      expect(await traces(username)).toEqual(everything);
      expect((await login(username, 'a second attempt')).status).toBe(200);
    });

    it('is undone by the reaper when nobody tries again', async () => {
      const username = `reap_${fault}`;
      app.ejabberd.failNext('register', fault);
      await register(username);
      await app.finishRemovals();
      expect(await traces(username)).toEqual(nothing);
    });

    it('closes a deleted account at once and finishes the rest later', async () => {
      const account = await app.register('del');
      app.ejabberd.failNext('unregister', fault);
      const answer = await app.http
        .delete('/api/v1/account')
        .set(account.bearer)
        .send({ jid: account.jid, password: account.password });
      expect([answer.status, answer.body.status]).toEqual([202, 'deleting']);
      expect((await app.http.get('/api/v1/turn/credentials').set(account.bearer)).status).toBe(401);
      await app.finishRemovals();
      expect(await traces(account.username)).toEqual(nothing);
    });
  });

  it('tells a wrong password, an unknown name and a malformed name alike', async () => {
    await register('dora');
    const answers = await Promise.all([login('dora', 'wrong'), login('nobody_here'), login('ä')]);
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.body).toMatchObject({ code: 'invalid_credentials', detail: 'check both and try again' });
    }
  });

  describe('with an e-mail address', () => {
    const post = (path: string, body: object) => app.http.post(path).send({ password: 'correct horse', ...body });
    const registerBy = (body: object) => post('/api/v1/account/register', body);
    const loginBy = (body: object) => post('/api/v1/account/login', body);
    const usernameIn = ({ body }: { body: { jid: string } }) => body.jid.split('@', 1)[0] ?? '';

    it('registers at the root, as signalling clients do, and logs in in whatever case it is typed', async () => {
      const registered = await post('/auth/register', { email: ' Signal@Example.org ' });
      expect(registered.status).toBe(201);
      expect(registered.body).toMatchObject({ token_type: 'Bearer', access_token: expect.any(String) });
      expect(registered.body.jid).toMatch(/^user_[0-9a-z]{10}@veil.test$/);
      for (const path of ['/auth/login', '/api/v1/auth/login', '/api/v1/account/login']) {
        const answer = await post(path, { email: 'sIGNAL@example.ORG' });
        expect([answer.status, answer.body.jid]).toEqual([200, registered.body.jid]);
      }
      expect((await loginBy({ username: 'signal@example.org' })).body.jid).toBe(registered.body.jid);
      expect((await loginBy({ username: usernameIn(registered) })).body.jid).toBe(registered.body.jid);
      expect((await loginBy({ email: registered.body.jid })).body.jid).toBe(registered.body.jid);
      expect((await loginBy({ email: 'signal@example.org', password: 'wrong' })).body.code).toBe('invalid_credentials');
      expect((await loginBy({ email: 'nobody@example.org' })).body.code).toBe('invalid_credentials');
    });

    it('gives an address to one account, in whatever form it is typed', async () => {
      expect((await registerBy({ username: 'first_of_two', email: 'two@B\u00fccher.example' })).status).toBe(201);
      const second = await registerBy({ username: 'second_of_two', email: 'TWO@xn--bcher-kva.example' });
      expect([second.status, second.body.code]).toEqual([409, 'email_taken']);
      expect(await traces('second_of_two')).toEqual(nothing);
    });

    it('gives one of 50 simultaneous registrations the address', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => registerBy({ email: 'race@example.org' })));
      const codes = answers.map(({ status, body }) => `${status} ${body.code}`).sort();
      expect(codes).toEqual(['201 undefined', ...Array.from({ length: 49 }, () => '409 email_taken')]);
      expect(await app.database.sql`SELECT 1 FROM accounts WHERE status <> 'active'`).toHaveLength(0);
    });

    it('frees the address when a registration fails, and when the account is deleted', async () => {
      app.ejabberd.failNext('register', 'apply_then_cut');
      expect((await registerBy({ email: 'free@example.org' })).status).toBe(503);
      const { status, body } = await registerBy({ email: 'free@example.org' });
      expect(status).toBe(201);
      const bearer = { authorization: `Bearer ${body.token}` };
      app.ejabberd.failNext('unregister', 'refuse');
      const gone = await app.http
        .delete('/api/v1/account')
        .set(bearer)
        .send({ jid: body.jid, password: 'correct horse' });
      expect(gone.body.status).toBe('deleting');
      expect((await registerBy({ email: 'free@example.org' })).status).toBe(201);
    });

    it('lets nobody shadow the JID of another by an address of our domain', async () => {
      const { username, jid } = await app.register('shadowed');
      expect((await registerBy({ email: jid.toUpperCase() })).body.code).toBe('email_taken');
      const holder = await registerBy({ email: 'mailbox_1@veil.test' });
      expect(holder.status).toBe(201);
      expect((await registerBy({ username: 'mailbox_1' })).body.code).toBe('username_taken');
      expect((await loginBy({ email: 'mailbox_1@veil.test' })).body.jid).toBe(holder.body.jid);
      expect((await registerBy({ username: 'own_mailbox', email: 'own_mailbox@veil.test' })).status).toBe(201);
      expect((await traces(username)).accounts).toEqual(['active']);
    });

    it.each([
      [{}, 'username'],
      [{ email: 'no address' }, 'email'],
      [{ email: 'a@example.org\r\nBcc: b@example.org' }, 'email'],
      [{ email: `${'a'.repeat(250)}@example.org` }, 'email'],
      [{ username: null, email: null }, 'username'],
      [{ username: 'somebody@example.org' }, 'username'],
    ])('refuses to register %j', async (body, field) => {
      const answer = await registerBy(body);
      expect([answer.status, answer.body.errors?.[0]?.field]).toEqual([422, field]);
    });

    it.each([[{}], [{ username: 'a_name', email: 'an@example.org' }]])('refuses a login of %j', async (body) => {
      expect((await loginBy(body)).status).toBe(422);
    });
  });

  it('keeps no session of a wrong password, and none that has expired', async () => {
    const { username, password, id } = await app.register('sessions');
    const sessions = async () => (await app.database.sql`SELECT 1 FROM sessions WHERE account_id = ${id}`).length;
    expect((await login(username, 'wrong')).status).toBe(401);
    app.ejabberd.failNext('checkPassword', 'refuse');
    expect((await login(username, password)).status).toBe(503);
    expect(await sessions()).toBe(1);
    await login(username, password);
    await app.database.sql`UPDATE sessions SET expires_at = now() - interval '1 hour' WHERE account_id = ${id}`;
    await app.app.get(SessionService).removeExpired(1);
    expect(await sessions()).toBe(0);
  });

  it('repairs missing SIP credentials at login', async () => {
    const { username, password } = await app.register('sip');
    await app.database.sql`DELETE FROM kamailio.subscriber WHERE username = ${username}`;
    expect((await login(username, password)).status).toBe(200);
    expect((await traces(username)).subscribers).toBe(1);
  });

  it('writes no SIP credentials for an account that is being deleted', async () => {
    const { id, username } = await app.register('late');
    const accounts = app.app.get(AccountRepository);
    await accounts.close({ id, username, leaseUntil: new Date() }, 'veil.test');
    await accounts.writeSubscriber({ id, username }, 'veil.test', { ha1: 'x', ha1b: 'y' });
    expect((await traces(username)).subscribers).toBe(0);
  });

  it('spares the new owner of a name from the second of two deletions', async () => {
    const old = await app.register('twice');
    const { username, jid, password } = old;
    await app.http.delete('/api/v1/account').set(old.bearer).send({ jid, password });
    expect((await register(username, 'a new owner')).status).toBe(201);
    const second = { id: old.id, username, leaseUntil: new Date() };
    expect(await app.app.get(AccountRepository).close(second, 'veil.test')).toBe(false);
    expect(await traces(username)).toEqual(everything);
  });

  it('takes every form of a password for the one that phones are checked against', async () => {
    const { username } = await app.register('forms');
    await app.database.sql`DELETE FROM accounts WHERE username = ${username}`;
    await app.database.sql`DELETE FROM kamailio.subscriber WHERE username = ${username}`;
    app.ejabberd.accounts.delete(username);
    expect((await register(username, '\uff50assphrase four')).status).toBe(201);
    const [row] = await app.database.sql`SELECT ha1 FROM kamailio.subscriber WHERE username = ${username}`;
    expect(row?.ha1).toBe(sipCredentials(username, 'veil.test', 'passphrase four').ha1);
  });

  it('deletes only the own account, only with the password, and then everything', async () => {
    const { username, password, jid, bearer } = await app.register('gone');
    const remove = (body: object) => app.http.delete('/api/v1/account').set(bearer).send(body);
    expect((await remove({ jid: 'other@veil.test', password })).body.code).toBe('forbidden');
    expect((await remove({ jid, password: 'wrong' })).body.code).toBe('invalid_credentials');
    expect(await traces(username)).toEqual(everything);
    const answer = await remove({ jid, password });
    expect([answer.status, answer.body]).toEqual([200, { status: 'deleted' }]);
    expect(await traces(username)).toEqual(nothing);
    expect(app.kamailio.removed).toContain(`${username}@veil.test`);
    expect((await app.http.get('/api/v1/groups').set(bearer)).status).toBe(401);
    expect((await register(username, 'a new owner')).status).toBe(201);
    expect((await app.http.get('/api/v1/groups').set(bearer)).status).toBe(401);
  });

  it('waits for the SIP server before it calls an account deleted', async () => {
    const { username, password, jid, bearer } = await app.register('sipdown');
    app.kamailio.down = true;
    const answer = await app.http.delete('/api/v1/account').set(bearer).send({ jid, password });
    app.kamailio.down = false;
    expect(answer.body.status).toBe('deleting');
    expect((await traces(username)).chat).toBe(true);
    await app.finishRemovals();
    expect(await traces(username)).toEqual(nothing);
  });
});
