import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { finishAll } from '../../testing/finish-all.js';
import { CallNotices } from '../calls/call-notices.js';
import { SessionEnding } from '../sessions/session-ending.js';
import { AccountRepository } from './account.repository.js';
import { AccountRemoval } from './account-removal.js';
import { AccountSuspension } from './account-suspension.js';
import { sipCredentials } from './password.js';
import { SuspensionRepository } from './suspension.repository.js';

describe('the suspension of an account', () => {
  let app: TestApp;
  let suspension: AccountSuspension;
  beforeAll(async () => {
    app = await TestApp.start({ NEIGHBOUR_TIMEOUT_MS: '500' });
    suspension = app.app.get(AccountSuspension);
  });
  afterAll(() => app.stop());

  type Registered = Awaited<ReturnType<TestApp['register']>>;

  /** What all stores hold of an account. */
  async function stateOf({ id, username, password }: Registered) {
    const { sql } = app.database;
    const [account] = await sql`SELECT status, lease_until FROM accounts WHERE id = ${id}`;
    const [subscriber] = await sql`SELECT ha1, ha1b FROM kamailio.subscriber WHERE username = ${username}`;
    const { ha1, ha1b } = sipCredentials(username, 'veil.test', password);
    return {
      status: account?.status,
      settled: account?.lease_until === null,
      digests: [subscriber?.ha1 === ha1, subscriber?.ha1b === ha1b],
      refused: (await app.ejabberd.suspended()).has(username),
      password: app.ejabberd.accounts.get(username) === password,
      sessions: (await sql`SELECT 1 FROM sessions WHERE account_id = ${id}`).length,
    };
  }

  const before = {
    status: 'active',
    settled: true,
    digests: [true, true],
    refused: false,
    password: true,
    sessions: 1,
  };
  const suspended = {
    status: 'suspended',
    settled: true,
    digests: [false, false],
    refused: true,
    password: true,
    sessions: 0,
  };
  /** Its sessions have ended, and nothing else. */
  const after = { ...before, sessions: 0 };

  /** A registration, as Kamailio writes it. */
  async function registerPhone({ username, jid }: Registered): Promise<string> {
    await app.database.sql`
      INSERT INTO kamailio.location (ruid, username, domain, contact)
      VALUES (${username}, ${username}, 'veil.test', 'sip:phone@127.0.0.1:40000')`;
    return `${jid} sip:phone@127.0.0.1:40000`;
  }

  const login = ({ username, password }: Registered) =>
    app.http.post('/api/v1/account/login').send({ username, password });

  const fail = (error: unknown): never => {
    throw error;
  };

  /** What the reapers would do once every lease has run out. */
  async function reap(): Promise<void> {
    const { sql } = app.database;
    await sql`UPDATE accounts SET lease_until = now() - interval '1 hour' WHERE lease_until IS NOT NULL`;
    await sql`UPDATE session_endings SET due_at = now() - interval '1 hour'`;
    const left = () => sql`
      SELECT 1 FROM accounts WHERE status IN ('suspended', 'resuming') AND lease_until IS NOT NULL
      UNION ALL SELECT 1 FROM session_endings`;
    await finishAll(async () => {
      await suspension.finishLeftovers(100, fail);
      await app.app.get(SessionEnding).finishLeftovers(100, fail);
    }, left);
  }

  it('refuses it everywhere, and gives everything back', async () => {
    const account = await app.register();
    expect(await stateOf(account)).toEqual(before);
    const phone = await registerPhone(account);
    expect(await suspension.suspend(account.id)).toBe(true);
    expect(app.ejabberd.ended).toContain(account.username);
    expect(app.kamailio.removed).toContain(phone);
    expect(await stateOf(account)).toEqual(suspended);
    expect(await suspension.resume(account.id)).toBe(true);
    expect(await stateOf(account)).toEqual(after);
    expect((await login(account)).status).toBe(200);
  });

  it('can be done twice, and so can its end', async () => {
    const account = await app.register();
    for (const _ of [1, 2]) expect(await suspension.suspend(account.id)).toBe(true);
    expect(await stateOf(account)).toEqual(suspended);
    expect(await suspension.resume(account.id)).toBe(true);
    await expect(suspension.resume(account.id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await stateOf(account)).toEqual(after);
  });

  it('leaves its groups as they are', async () => {
    const [owner, member] = [await app.register('owner'), await app.register('member')];
    const groups = () => app.http.get('/api/v1/groups').set(owner.bearer);
    const group = { name: 'Choir', member_jids: [member.jid] };
    const created = await app.http.post('/api/v1/groups').set(owner.bearer).send(group);
    const members = () => app.http.get(`/api/v1/groups/${created.body.group_id}/members`).set(owner.bearer);
    const [groupsBefore, membersBefore] = [(await groups()).body, (await members()).body];
    await suspension.suspend(member.id);
    expect((await members()).body).toEqual(membersBefore);
    expect((await groups()).body).toEqual(groupsBefore);
  });

  it('keeps the name, from strangers and from the reaper of what is to go', async () => {
    const account = await app.register();
    await suspension.suspend(account.id);
    const { username } = account;
    const answer = await app.http.post('/api/v1/account/register').send({ username, password: 'another word' });
    expect(answer.body.code).toBe('username_taken');
    await app.database.sql`UPDATE accounts SET lease_until = now() - interval '1 hour' WHERE id = ${account.id}`;
    const removal = app.app.get(AccountRemoval);
    await removal.finishLeftovers(100, fail);
    expect(await removal.finishNow(account.id)).toBe(false);
    await reap();
    expect(await stateOf(account)).toEqual(suspended);
  });

  it('wakes no device of it', async () => {
    const [account, caller] = await Promise.all([app.register(), app.register()]);
    await app.database.sql`
      INSERT INTO push_registrations (jid, device_uuid, account_id, platform, push_token, app_id, registered_at)
      VALUES (${account.jid}, 'd1', ${account.id}, 'android', 'token', 'app', now())`;
    await suspension.suspend(account.id);
    const parties = { caller_username: caller.username, callee_username: account.username };
    const notice = { ...parties, call_id: 'to-the-suspended', call_type: 'audio' } as const;
    expect(await app.app.get(CallNotices).take(notice)).toMatchObject({ status: 'no_registrations', sent: 0 });
  });

  it('is told to who knows the password, and to nobody else', async () => {
    const account = await app.register();
    await suspension.suspend(account.id);
    expect([(await login(account)).status, (await login(account)).body.code]).toEqual([403, 'account_suspended']);
    const wrong = await login({ ...account, password: 'wrong' });
    expect([wrong.status, wrong.body.code]).toEqual([401, 'invalid_credentials']);
  });

  it('outlasts a login that repairs SIP credentials late', async () => {
    const account = await app.register();
    await suspension.suspend(account.id);
    const [row] = await app.database.sql`SELECT ha1 FROM kamailio.subscriber WHERE username = ${account.username}`;
    const late = { ...account, ha1: row?.ha1 as string };
    await app.app.get(AccountRepository).repairSubscriber(late, { ha1: 'x', ha1b: 'y' });
    expect(await stateOf(account)).toEqual(suspended);
  });

  it('outlasts a change of password that was under way, which counts from the resumption on', async () => {
    const account = await app.register();
    await suspension.suspend(account.id);
    const changed = { ...account, password: 'the new password' };
    const sip = sipCredentials(account.username, 'veil.test', changed.password);
    app.ejabberd.accounts.set(account.username, changed.password);
    await app.app.get(AccountRepository).writeSubscriber(account, 'veil.test', sip);
    expect(await stateOf(changed)).toEqual(suspended);
    await suspension.resume(account.id);
    expect(await stateOf(changed)).toEqual(after);
  });

  describe.each(['refuse', 'apply_then_cut'] as const)('when the chat server fails (%s)', (fault) => {
    it('refuses the account at once where it can, and the rest later', async () => {
      const account = await app.register();
      app.ejabberd.failNext('suspend', fault);
      const phone = await registerPhone(account);
      expect(await suspension.suspend(account.id)).toBe(false);
      expect(app.kamailio.removed).toContain(phone);
      expect(await stateOf(account)).toMatchObject({
        status: 'suspended',
        settled: false,
        digests: [false, false],
        sessions: 0,
      });
      await reap();
      expect(await stateOf(account)).toEqual(suspended);
    });

    it('lets the account in again everywhere or nowhere', async () => {
      const account = await app.register();
      await suspension.suspend(account.id);
      app.ejabberd.failNext('resume', fault);
      expect(await suspension.resume(account.id)).toBe(false);
      expect(await stateOf(account)).toMatchObject({ status: 'resuming', digests: [false, false] });
      await reap();
      expect(await stateOf(account)).toEqual(after);
    });
  });

  it('is finished, and so is its end, when whoever began it has crashed', async () => {
    const account = await app.register();
    const suspensions = app.app.get(SuspensionRepository);
    const lease = () => [new Date(), new Date(Date.now() + 3_600_000)] as const;
    await suspensions.suspend(account.id, ...lease());
    await reap();
    expect(await stateOf(account)).toEqual(suspended);
    await suspensions.beginToResume(account.id, ...lease());
    expect((await login(account)).body.code).toBe('account_suspended');
    await reap();
    expect(await stateOf(account)).toEqual(after);
  });

  it('is finished when the call server is back', async () => {
    const account = await app.register();
    const phone = await registerPhone(account);
    app.kamailio.down = true;
    expect(await suspension.suspend(account.id)).toBe(false);
    app.kamailio.down = false;
    expect((await app.ejabberd.suspended()).has(account.username)).toBe(true);
    await reap();
    expect(app.kamailio.removed).toContain(phone);
    expect(await stateOf(account)).toEqual(suspended);
  });

  it('ends in one of the two states when both are wanted again and again at once', async () => {
    const account = await app.register();
    const wishes = Array.from({ length: 8 }, (_, index) =>
      index % 2 === 0 ? suspension.suspend(account.id) : suspension.resume(account.id),
    );
    const refusals = (await Promise.allSettled(wishes)).filter(({ status }) => status === 'rejected');
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ reason: { code: expect.stringMatching(/^(not_found|account_busy)$/) } });
    }
    const state = await stateOf(account);
    expect(state).toEqual(state.status === 'suspended' ? suspended : after);
  });

  it('is what the chat server lists, even after one of the two was restored from a backup', async () => {
    const [forgotten, stranger] = [await app.register(), await app.register()];
    await suspension.suspend(forgotten.id);
    await app.ejabberd.resume(forgotten.username);
    await app.ejabberd.suspend(stranger.username);
    await app.ejabberd.suspend('nobody');
    await suspension.compare();
    await reap();
    expect(await stateOf(forgotten)).toEqual(suspended);
    expect((await app.ejabberd.suspended()).has(stranger.username)).toBe(false);
    expect((await app.ejabberd.suspended()).has('nobody')).toBe(false);
  });
});
