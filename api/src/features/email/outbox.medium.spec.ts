import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Mailer } from '../../clients/smtp/smtp.client.js';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { testConfig } from '../../testing/config.js';
import { TestMailServer } from '../../testing/smtp.js';
import { OneTimeCodes } from '../account/one-time-codes.js';
import { OneTimeCodesRepository } from '../account/one-time-codes.repository.js';
import { Outbox } from './outbox.js';
import { OutboxRepository } from './outbox.repository.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const CODE = /([0-9A-Z]{5}-){3}[0-9A-Z]{5}/;

describe('the outbox', () => {
  let server: TestMailServer;
  let app: TestApp;
  let clock: FakeClock;
  let codes: OneTimeCodes;
  let outbox: Outbox;
  let failures: string[];

  beforeAll(async () => {
    server = await TestMailServer.start();
    // The application has no mail server, so that it leaves the mails to the test and to its clock.
    app = await TestApp.start();
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await app.stop();
    await server.stop();
  });

  beforeEach(async () => {
    await app.database.sql`DELETE FROM mails`;
    server.mails.length = 0;
    failures = [];
    clock = new FakeClock();
    clock.advance(Date.now() - clock.milliseconds());
    codes = new OneTimeCodes(new OneTimeCodesRepository(app.database.sql), clock);
    outbox = newOutbox();
  });

  function newOutbox(settings: NodeJS.ProcessEnv = server.environment): Outbox {
    const config = testConfig({ CODE_PAGE_URL: 'https://web.test/codes', NEIGHBOUR_TIMEOUT_MS: '500', ...settings });
    return new Outbox(
      new OutboxRepository(app.database.sql, config),
      new Mailer(config, app.app.get(NeighbourTimes)),
      codes,
      clock,
      config,
    );
  }

  const deliver = () => outbox.deliver(20, (error) => failures.push(String(error)));
  const rows = () => app.database.sql`SELECT * FROM mails`;
  const waiting = () => app.database.sql`SELECT * FROM mails WHERE sent_at IS NULL`;
  const codeIn = (index: number): string => CODE.exec(server.mails[index]?.text ?? '')?.[0] ?? 'none';
  const redeem = (code: string) => codes.redeem(code, 'verify_email', async (proof) => proof);

  it('sends a code that works, in text and in the fragment of a link, and keeps none', async () => {
    const { id, jid } = await app.register();
    await outbox.enqueue('verify_email', id, 'alice@example.org');
    await deliver();
    expect(server.mails).toMatchObject([{ to: ['alice@example.org'], from: 'no-reply@veil.test' }]);
    expect(server.mails[0]?.text).toContain(jid);
    expect(server.mails[0]?.text).toContain(`https://web.test/codes#verify_email=${codeIn(0)}`);
    expect(JSON.stringify(await rows())).not.toMatch(CODE);
    expect(await redeem(codeIn(0))).toMatchObject({ account: { id }, email: 'alice@example.org' });
    await deliver();
    expect(server.mails).toHaveLength(1);
  });

  it('says nothing of a page when there is none', async () => {
    outbox = newOutbox({ ...server.environment, CODE_PAGE_URL: '' });
    await outbox.enqueue('verify_email', (await app.register()).id, 'alice@example.org');
    await deliver();
    expect(server.mails[0]?.text).toMatch(CODE);
    expect(server.mails[0]?.text).not.toMatch(/http|page/);
  });

  /** An account whose address is proved. */
  async function provedAccount(email: string) {
    const account = await app.register();
    await app.database.sql`
      UPDATE accounts SET email = ${email}, email_verified_at = now() WHERE id = ${account.id}`;
    return account;
  }

  it('finds out whose a reset is when it is its turn, and drops what names nobody', async () => {
    const { id, username, jid } = await provedAccount('found@example.org');
    const unproved = await app.register();
    await app.database.sql`UPDATE accounts SET email = 'unproved@example.org' WHERE id = ${unproved.id}`;
    for (const typed of ['nobody', 'nobody@example.org', 'ä', unproved.username, 'unproved@example.org']) {
      await outbox.enqueueReset(typed);
    }
    await deliver();
    expect([server.mails, await rows()]).toEqual([[], []]);
    for (const typed of [' FOUND@Example.org', username.toUpperCase(), jid]) {
      await outbox.enqueueReset(typed);
      clock.advance(2 * MINUTE);
      await deliver();
      expect(server.mails.pop()).toMatchObject({ to: ['found@example.org'] });
    }
    expect(await rows()).toMatchObject(
      Array.from({ length: 3 }, () => ({ account_id: id, recipient: 'found@example.org' })),
    );
  });

  it('loses nothing while the mail server is away, and tries again soon', async () => {
    const { id } = await app.register();
    await outbox.enqueue('verify_email', id, 'alice@example.org');
    await server.down();
    for (let second = 0; second < 60; second += 2) {
      await deliver();
      clock.advance(2 * SECOND);
    }
    expect(failures.length).toBeGreaterThan(2);
    expect(failures.length).toBeLessThan(6);
    await server.up();
    clock.advance(30 * SECOND);
    await deliver();
    expect(await redeem(codeIn(0))).toMatchObject({ account: { id } });
  });

  it.each([
    ['from', 451],
    ['to', 450],
    ['data', 452],
  ] as const)('tries again after a passing refusal (%s %s)', async (step, status) => {
    await outbox.enqueue('verify_email', (await app.register()).id, 'alice@example.org');
    server.failNext(step, status);
    await deliver();
    expect(server.mails).toEqual([]);
    await deliver();
    expect(server.mails).toEqual([]);
    clock.advance(6 * SECOND);
    await deliver();
    expect(server.mails).toHaveLength(1);
  });

  it('sends again when the answer was lost; the code of the last mail counts', async () => {
    const { id } = await app.register();
    await outbox.enqueue('verify_email', id, 'alice@example.org');
    server.failNext('data', 'cut');
    await deliver();
    clock.advance(6 * SECOND);
    await deliver();
    expect(server.mails).toHaveLength(2);
    await expect(redeem(codeIn(0))).rejects.toMatchObject({ code: 'invalid_code' });
    expect(await redeem(codeIn(1))).toMatchObject({ account: { id } });
  });

  it('gives up when the mail server refuses the mail, and goes on with the next', async () => {
    await outbox.enqueue('verify_email', (await app.register()).id, 'no-such-mailbox@example.org');
    await outbox.enqueue('verify_email', (await app.register()).id, 'bob@example.org');
    server.failNext('to', 550);
    await deliver();
    expect(server.mails).toMatchObject([{ to: ['bob@example.org'] }]);
    expect(await waiting()).toHaveLength(0);
    expect(failures).toEqual([]);
  });

  it('gives up a reset after an hour', async () => {
    await outbox.enqueueReset((await provedAccount('late@example.org')).username);
    await server.down();
    await deliver();
    await server.up();
    clock.advance(HOUR + 1);
    await deliver();
    expect([failures.length, server.mails.length]).toEqual([1, 0]);
    await outbox.removeExpired(1);
    expect(await rows()).toHaveLength(0);
  });

  it('lets a newer mail take the place of one that waits', async () => {
    const { id } = await app.register();
    await outbox.enqueue('verify_email', id, 'old@example.org');
    await outbox.enqueue('verify_email', id, 'new@example.org');
    await deliver();
    expect(server.mails.map(({ to }) => to[0])).toEqual(['new@example.org']);
  });

  it('sends one mail to whoever asks several times for a new password, and its code stays good', async () => {
    const { username } = await provedAccount('impatient@example.org');
    const ask = async () => {
      await outbox.enqueueReset(username);
      await deliver();
    };
    await server.down();
    for (let wish = 0; wish < 4; wish += 1) await ask();
    await server.up();
    clock.advance(MINUTE);
    await deliver();
    await ask();
    expect(server.mails).toHaveLength(1);
    clock.advance(MINUTE);
    await ask();
    expect(server.mails).toHaveLength(2);
    expect(await waiting()).toHaveLength(0);
  });

  it('sends five mails of a kind about an account within an hour, and no more', async () => {
    const { id } = await app.register();
    for (let wish = 0; wish < 8; wish += 1) {
      await outbox.enqueue('verify_email', id, 'flooded@example.org');
      await deliver();
      clock.advance(MINUTE);
    }
    expect(server.mails).toHaveLength(5);
    await outbox.enqueue('password_changed', id, 'flooded@example.org');
    await deliver();
    expect(server.mails).toHaveLength(6);
    clock.advance(HOUR);
    await outbox.enqueue('verify_email', id, 'flooded@example.org');
    await deliver();
    expect(server.mails).toHaveLength(7);
    clock.advance(HOUR + 1);
    await outbox.removeExpired(1);
    expect(await rows()).toHaveLength(0);
  });

  it('sends twenty to an address, whatever they are about', async () => {
    for (let account = 0; account < 22; account += 1) {
      await outbox.enqueue('verify_email', (await app.register()).id, 'victim@example.org');
    }
    await deliver();
    await deliver();
    expect(server.mails).toHaveLength(20);
  });

  it('sends nothing for an account that is closed, and forgets it with the account', async () => {
    const { id } = await app.register();
    await outbox.enqueue('password_changed', id, 'alice@example.org');
    await app.database.sql`UPDATE accounts SET status = 'deleting' WHERE id = ${id}`;
    await deliver();
    expect(server.mails).toEqual([]);
    expect(await rows()).toHaveLength(0);
    const other = await app.register();
    await outbox.enqueue('password_changed', other.id, 'bob@example.org');
    await app.database.sql`DELETE FROM accounts WHERE id = ${other.id}`;
    expect(await rows()).toHaveLength(0);
  });

  it('sends each mail once, however many processes there are, and takes over from one that died', async () => {
    for (let mail = 0; mail < 10; mail += 1) {
      await outbox.enqueue('password_changed', (await app.register()).id, `user${mail}@example.org`);
    }
    const others = Array.from({ length: 3 }, () => newOutbox());
    await Promise.all([outbox, ...others].map((one) => one.deliver(20, () => {})));
    expect(server.mails).toHaveLength(10);
    await outbox.enqueue('password_changed', (await app.register()).id, 'late@example.org');
    await new OutboxRepository(app.database.sql, testConfig()).claim(
      clock.now(),
      new Date(clock.milliseconds() + 7 * SECOND),
    );
    await deliver();
    expect(server.mails).toHaveLength(10);
    clock.advance(8 * SECOND);
    await deliver();
    expect(server.mails).toHaveLength(11);
  });

  it('keeps and sends nothing without a mail server', async () => {
    outbox = newOutbox({});
    await outbox.enqueue('password_changed', (await app.register()).id, 'alice@example.org');
    expect(await rows()).toHaveLength(0);
    await outbox.enqueueReset('alice');
    await deliver();
    expect([failures.length, server.mails.length]).toEqual([0, 0]);
  });
});
