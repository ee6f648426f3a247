import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { RegistrationService } from './registration.service.js';
import { ThrowawayAccounts } from './throwaway-accounts.js';

const PASSWORD = 'correct horse battery staple';

describe('throw-away accounts', () => {
  let app: TestApp;
  let accounts: ThrowawayAccounts;
  beforeAll(async () => {
    app = await TestApp.start({ REGISTRATION: 'closed' });
    accounts = app.app.get(ThrowawayAccounts);
  });
  afterAll(() => app.stop());

  const statusOf = async (username: string) =>
    (await app.database.sql`SELECT status FROM accounts WHERE username = ${username}`).map(({ status }) => status);

  async function made(): Promise<string> {
    const username = accounts.newName();
    await app.app.get(RegistrationService).register(username, PASSWORD, 'operator');
    return username;
  }

  const ago = (username: string, minutes: number) => app.database.sql`
    UPDATE accounts SET created_at = now() - make_interval(mins => ${minutes}) WHERE username = ${username}`;

  it('are made though nobody may register, and leave nothing', async () => {
    const username = await made();
    expect(await statusOf(username)).toEqual(['active']);
    expect(await accounts.remove(username)).toBe('gone');
    expect(await statusOf(username)).toEqual([]);
    expect(app.ejabberd.accounts.has(username)).toBe(false);
    expect(await app.database.sql`SELECT FROM kamailio.subscriber WHERE username = ${username}`).toHaveLength(0);
    expect(await app.database.sql`SELECT FROM retired_names`).toHaveLength(0);
    expect(await accounts.remove(username)).toBe('gone');
  });

  it('go without their password, and later when a server is away', async () => {
    const username = await made();
    app.kamailio.down = true;
    expect(await accounts.remove(username)).toBe('going');
    app.kamailio.down = false;
    expect(await statusOf(username)).toEqual(['deleting']);
    expect(await accounts.remove(username)).toBe('going');
  });

  it('are found again after a run that was cut off, but not those that are in use', async () => {
    const [forgotten, inUse] = [await made(), await made()];
    await ago(forgotten, 10);
    expect(await accounts.removeForgotten()).toBe(1);
    expect([await statusOf(forgotten), await statusOf(inUse)]).toEqual([[], ['active']]);
  });

  it.each(['doctor_who', 'doctor_0123456789abcdef01234567'])('are never those of people: %s', async (username) => {
    await app.database.sql`
      INSERT INTO accounts (id, username, domain, status) VALUES (gen_random_uuid(), ${username}, 'veil.test', 'active')`;
    await ago(username, 10);
    expect(await accounts.removeForgotten()).toBe(0);
    await expect(accounts.remove(username)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await statusOf(username)).toEqual(['active']);
  });
});
