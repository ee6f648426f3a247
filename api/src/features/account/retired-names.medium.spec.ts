import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { testConfig } from '../../testing/config.js';
import { RetiredNames } from './retired-names.js';
import { RetiredNamesRepository } from './retired-names.repository.js';

const DAY_MS = 86_400_000;

describe('the name of a deleted account', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.stop());

  const register = (fields: object) =>
    app.http.post('/api/v1/account/register').send({ password: 'a new owner', ...fields });

  async function registerAndDelete(): Promise<string> {
    const { username, password, jid, bearer } = await app.register('gone');
    const answer = await app.http.delete('/api/v1/account').set(bearer).send({ jid, password });
    expect(answer.body).toEqual({ status: 'deleted' });
    return username;
  }

  const rows = () => app.database.sql`SELECT * FROM retired_names`;

  /** The same rows at another time, under other settings. */
  function namesAt(days: number, settings: NodeJS.ProcessEnv = {}): RetiredNames {
    const clock = new FakeClock();
    clock.advance(Date.now() - clock.milliseconds() + days * DAY_MS);
    return new RetiredNames(app.app.get(RetiredNamesRepository), clock, testConfig(settings));
  }

  it('stays taken, for whoever asks and however', async () => {
    const username = await registerAndDelete();
    const answer = await register({ username: username.toUpperCase() });
    expect([answer.status, answer.body.code]).toEqual([409, 'username_taken']);
    expect(app.ejabberd.accounts.has(username)).toBe(false);
    const alias = await register({ username: `not_${username}`.slice(0, 32), email: `${username}@veil.test` });
    expect([alias.status, alias.body.code]).toEqual([409, 'username_taken']);
  });

  it('stands nowhere: what is kept is of use with the key only', async () => {
    const username = await registerAndDelete();
    const kept = await rows();
    expect(JSON.stringify(kept)).not.toContain(username);
    expect(kept.every((row) => (row.name_hash as Buffer).length === 32)).toBe(true);
    const [same, other] = [namesAt(0), namesAt(0, { NAME_SECRET: 'another-0123456789abcdefghijklmnopqrst' })];
    expect(await same.includesAny([username])).toBe(true);
    expect(await other.includesAny([username])).toBe(false);
  });

  it('is free again when its time is over, and nothing is kept of it then', async () => {
    const username = await registerAndDelete();
    await namesAt(29.9).removeExpired(1);
    expect(await namesAt(29.9).includesAny([username])).toBe(true);
    expect(await namesAt(30.1).includesAny([username])).toBe(false);
    await namesAt(30.1).removeExpired(20);
    expect(await rows()).toEqual([]);
    expect((await register({ username })).status).toBe(201);
  });

  it('follows the setting as it is now', async () => {
    const username = await registerAndDelete();
    expect(await namesAt(40, { NAME_QUARANTINE_DAYS: '60' }).includesAny([username])).toBe(true);
    expect(await namesAt(0, { NAME_QUARANTINE_DAYS: '0' }).includesAny([username])).toBe(false);
    await namesAt(0, { NAME_QUARANTINE_DAYS: '0' }).removeExpired(20);
    expect(await rows()).toEqual([]);
  });

  it('is free when the operator says so', async () => {
    const username = await registerAndDelete();
    const names = app.app.get(RetiredNames);
    expect(await names.release(username)).toBe(true);
    expect(await names.release(username)).toBe(false);
    expect((await register({ username })).status).toBe(201);
  });

  it('is retired as well when a later attempt finishes the deletion', async () => {
    const { username, password, jid, bearer } = await app.register('late');
    app.ejabberd.failNext('unregister', 'apply_then_cut');
    const answer = await app.http.delete('/api/v1/account').set(bearer).send({ jid, password });
    expect(answer.body).toEqual({ status: 'deleting' });
    await app.database.sql`UPDATE accounts SET lease_until = now() - interval '1 hour' WHERE username = ${username}`;
    expect((await register({ username })).body.code).toBe('username_taken');
    expect(await app.database.sql`SELECT FROM accounts WHERE username = ${username}`).toHaveLength(0);
  });

  it('of which nothing came is not retired', async () => {
    const before = await rows();
    app.ejabberd.failNext('register', 'apply_then_cut');
    expect((await register({ username: 'never_was' })).status).toBe(503);
    await app.finishRemovals();
    expect(await rows()).toEqual(before);
    expect((await register({ username: 'never_was' })).status).toBe(201);
  });
});

it('is not kept at all without a quarantine, and nobody inherits what came too late', async () => {
  const app = await TestApp.start({ NAME_QUARANTINE_DAYS: '0' });
  try {
    const { username, password, jid, bearer } = await app.register('gone');
    await app.http.delete('/api/v1/account').set(bearer).send({ jid, password });
    expect(await app.database.sql`SELECT * FROM retired_names`).toEqual([]);
    app.ejabberd.leftovers.add(username);
    expect((await app.http.post('/api/v1/account/register').send({ username, password })).status).toBe(201);
    expect(app.ejabberd.leftovers.has(username)).toBe(false);
  } finally {
    await app.stop();
  }
});
