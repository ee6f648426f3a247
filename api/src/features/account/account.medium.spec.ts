import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { AccountRepository } from './account.repository.js';
import { AccountRemoval } from './account-removal.js';
import { sipCredentials } from './password.js';
import { SessionService } from './session.service.js';

describe('accounts', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
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

  /** What the reaper would do once every lease has run out. */
  async function reap(): Promise<void> {
    await app.database.sql`UPDATE accounts SET lease_until = now() - interval '1 hour' WHERE status <> 'active'`;
    await app.app.get(AccountRemoval).finishLeftovers(100, (error) => {
      throw error;
    });
  }

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
      await reap();
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
      await reap();
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

  it('keeps no session of a wrong password, and none that has expired', async () => {
    const { username, password, id } = await app.register('sessions');
    const sessions = async () => (await app.database.sql`SELECT 1 FROM sessions WHERE account_id = ${id}`).length;
    expect(await sessions()).toBe(1);
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
    await reap();
    expect(await traces(username)).toEqual(nothing);
  });
});
