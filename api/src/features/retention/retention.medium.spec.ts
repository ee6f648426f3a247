import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { OneTimeCodes } from '../account/one-time-codes.js';
import { InvitesService } from '../invites/invites.service.js';

const DAY_MS = 86_400_000;
/** Each job looks every two seconds. */
const WITHIN_MS = 10_000;

let app: TestApp;
const clock = new FakeClock();

beforeAll(async () => {
  clock.advance(Date.now() - clock.milliseconds());
  app = await TestApp.start({ CHAT_ARCHIVE_DAYS: '365' }, {}, clock);
  await leaveSomethingEverywhere();
});
afterAll(() => app.stop());

/** A row in each table that a job empties when its time is over. */
async function leaveSomethingEverywhere(): Promise<void> {
  const [kept, gone] = await Promise.all([app.register('kept'), app.register('gone')]);
  const { username, password } = kept;
  const { body } = await app.http.post('/api/v1/account/login').send({ username, password });
  await app.http.post('/api/v1/account/refresh').send({ refresh_token: body.refresh_token });
  await app.app.get(OneTimeCodes).issue(kept.id, 'verify_email', 3600, 'kept@mail.test');
  await app.app.get(InvitesService).create({ uses: 1, days: 7 });
  await leaveRelayed(kept.bearer);
  const [now, later] = [clock.now(), new Date(clock.milliseconds() + 3_600_000)];
  await app.database.sql`
    INSERT INTO calls (id, call_id, callee_account_id, call_type, started_at, known_at, outcome)
    VALUES (gen_random_uuid(), 'call', ${kept.id}, 'audio', ${now}, ${now}, 'missed')`;
  await app.database.sql`
    INSERT INTO mails (id, kind, account_id, recipient, next_try_at, expires_at, sent_at)
    VALUES (gen_random_uuid(), 'verify_email', ${kept.id}, 'kept@mail.test', ${now}, ${later}, ${now})`;
  await app.http.delete('/api/v1/account').set(gone.bearer).send({ jid: gone.jid, password: gone.password });
}

/** A text message that waits for a phone, and a code by which that could be paired once more. */
async function leaveRelayed(bearer: { authorization: string }): Promise<void> {
  const post = async (path: string, body?: object) => (await app.http.post(path).set(bearer).send(body)).body;
  const host = await post('/devices', { name: 'Home', type: 'host' });
  const client = await post('/devices', { name: 'Mobile', type: 'client' });
  const { code } = await post(`/pair?host_device_id=${host.id}`);
  await post('/pair/confirm', { code, client_device_id: client.id });
  await post('/sms', { to_device_id: host.id, sim: 1, to: '110', body: 'Kept for a while' });
  await post(`/pair?host_device_id=${host.id}`);
}

const LASTING = ['calls', 'relay_messages', 'sessions', 'used_refresh_tokens'];
const TABLES = [...LASTING, 'account_codes', 'invites', 'mails', 'pairing_codes', 'retired_names'].sort();

async function tablesWithRows(): Promise<string[]> {
  const counts = await Promise.all(
    TABLES.map((table) => app.database.sql`SELECT FROM ${app.database.sql(table)} LIMIT 1`),
  );
  return TABLES.filter((_, index) => counts[index]?.length === 1);
}

/** Returns once the jobs have left no more than that. */
async function leftAfter(days: number, expected: string[]): Promise<void> {
  clock.advance(days * DAY_MS);
  const deadline = performance.now() + WITHIN_MS;
  while (performance.now() < deadline && (await tablesWithRows()).length > expected.length) await delay(100);
  expect(await tablesWithRows()).toEqual(expected.toSorted());
}

it('what is kept for a time goes when it is over, and not before', async () => {
  expect(await tablesWithRows()).toEqual(TABLES);
  await leftAfter(1.1, [...LASTING, 'invites', 'retired_names']);
  await leftAfter(28.5, [...LASTING, 'invites', 'retired_names']);
  await leftAfter(1, [...LASTING, 'invites']);
  await leftAfter(7, LASTING);
  await leftAfter(60, []);
  expect(app.chatData.forgotten).toEqual(expect.arrayContaining(['archived 365', 'waiting 90']));
});
