import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { CODE_LIFETIMES, OneTimeCodes } from './one-time-codes.js';

describe('one-time codes', () => {
  let app: TestApp;
  let codes: OneTimeCodes;
  beforeAll(async () => {
    app = await TestApp.start();
    codes = app.app.get(OneTimeCodes);
  });
  afterAll(() => app.stop());

  const issue = (accountId: string) => codes.issue(accountId, 'reset_password', CODE_LIFETIMES.resetByMail);
  const redeem = (code: string, accountId?: string) =>
    codes.redeem(code, 'reset_password', async (proof) => proof, accountId);
  const invalid = { code: 'invalid_code' };
  const expireAll = () => app.database.sql`UPDATE account_codes SET expires_at = now() - interval '1 s'`;

  it('say whose they are, once, however they are typed', async () => {
    const { id, username } = await app.register();
    const code = await codes.issue(id, 'verify_email', CODE_LIFETIMES.verifyEmail, 'a@mail.test');
    const typed = code.toLowerCase().replaceAll('-', ' ');
    const proof = await codes.redeem(typed, 'verify_email', async (proven) => proven);
    expect(proof).toEqual({ account: { id, username }, email: 'a@mail.test' });
    await expect(codes.redeem(code, 'verify_email', async () => {})).rejects.toMatchObject(invalid);
  });

  it('are kept as a hash only', async () => {
    const { id } = await app.register();
    const code = await issue(id);
    const [row] = await app.database.sql`SELECT * FROM account_codes WHERE account_id = ${id}`;
    expect(row?.code_hash).toEqual(createHash('sha256').update(code.replaceAll('-', '')).digest());
    expect(JSON.stringify(row)).not.toContain(code.slice(0, 5));
  });

  it('serve one of 20 simultaneous callers', async () => {
    const code = await issue((await app.register()).id);
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => redeem(code)));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('replace older ones of the same purpose only', async () => {
    const { id } = await app.register();
    const verification = await codes.issue(id, 'verify_email', CODE_LIFETIMES.verifyEmail);
    const [older, newer] = [await issue(id), await issue(id)];
    await expect(redeem(older)).rejects.toMatchObject(invalid);
    await expect(redeem(verification)).rejects.toMatchObject(invalid);
    expect((await redeem(newer)).account.id).toBe(id);
    await codes.redeem(verification, 'verify_email', async () => {});
  });

  it('open nothing for an account that is not theirs, that does not exist or that is closed', async () => {
    const [owner, other] = [await app.register(), await app.register()];
    const code = await issue(owner.id);
    await expect(redeem(code, other.id)).rejects.toMatchObject(invalid);
    await app.database.sql`UPDATE accounts SET status = 'deleting' WHERE id = ${owner.id}`;
    await expect(redeem(code)).rejects.toMatchObject(invalid);
    await expect(issue(owner.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(issue('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('are good again when what they were for failed, unless there is a newer one', async () => {
    const { id } = await app.register();
    const failing = (code: string, meanwhile = async (): Promise<unknown> => null) =>
      codes.redeem(code, 'reset_password', async () => {
        await meanwhile();
        throw new Error('away');
      });
    const code = await issue(id);
    await expect(failing(code)).rejects.toThrow('away');
    await expect(failing(code, () => issue(id))).rejects.toThrow('away');
    await expect(redeem(code)).rejects.toMatchObject(invalid);
  });

  it('can be voided', async () => {
    const { id } = await app.register();
    const mailed = await codes.issue(id, 'reset_password', CODE_LIFETIMES.resetByMail, 'a@mail.test');
    await codes.revoke(id, 'reset_password', 'b@mail.test');
    await codes.revoke(id, 'verify_email');
    await expect(redeem(mailed, id)).resolves.toMatchObject({ email: 'a@mail.test' });
    const again = await codes.issue(id, 'reset_password', CODE_LIFETIMES.resetByMail, 'a@mail.test');
    await codes.revoke(id, 'reset_password', 'a@mail.test');
    await expect(redeem(again)).rejects.toMatchObject(invalid);
  });

  it('expire, and go', async () => {
    const { id } = await app.register();
    const code = await issue(id);
    await expireAll();
    await expect(redeem(code)).rejects.toMatchObject(invalid);
    await codes.removeExpired(1);
    expect(await app.database.sql`SELECT 1 FROM account_codes WHERE account_id = ${id}`).toHaveLength(0);
  });
});
