import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openApiDocument } from '../../http/openapi.js';
import { TestApp } from '../../testing/app.js';
import { ExportRepository } from './export.repository.js';

type Account = Awaited<ReturnType<TestApp['register']>>;
type Fields = Record<string, unknown>;

const PATH = '/api/v1/account/export';

describe('the export of an account', () => {
  let app: TestApp;
  let alice: Account;
  let bob: Account;
  let carol: Account;
  let document: Record<string, Fields & Fields[]>;
  let text: string;

  beforeAll(async () => {
    app = await TestApp.start();
    [alice, bob, carol] = (await Promise.all(['alice', 'bob', 'carol'].map((name) => app.register(name)))) as [
      Account,
      Account,
      Account,
    ];
    await Promise.all([leaveSomething(alice), leaveSomething(bob)]);
    app.chatData.contactList = [{ jid: 'carol@veil.test', name: 'Carol', subscription: 'both', groups: ['Friends'] }];
    app.chatData.waiting = 3;
    const answer = await app.http.get(PATH).set(alice.bearer);
    expect([answer.status, answer.type]).toEqual([200, 'application/json']);
    expect(answer.headers['content-disposition']).toBe('attachment');
    ({ body: document, text } = answer);
  });
  afterAll(() => app.stop());
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Something in every list; the other account has the same. */
  async function leaveSomething({ id, username, jid, password, bearer }: Account): Promise<void> {
    await app.http.post('/api/v1/account/login').send({ username, password, device_name: `Phone of ${username}` });
    const device = {
      jid,
      device_id: `device-${username}`,
      platform: 'ios',
      app_id: 'app',
      push_token: `token-${username}`,
    };
    await app.http.post('/api/v1/push/register').set(bearer).send(device);
    await app.http.put(`/api/v1/contacts/${carol.jid}`).set(bearer);
    await app.http
      .post('/devices/register')
      .set(bearer)
      .send({ device_id: `laptop-${username}`, pubkey: 'key' });
    await leaveRelayed(bearer, username);
    await app.http
      .post('/api/v1/groups')
      .set(bearer)
      .send({ name: `Group of ${username}`, member_jids: [] });
    const address = `${username}@mail.test`;
    const later = new Date(Date.now() + 3_600_000);
    const { sql } = app.database;
    await sql`
      INSERT INTO kamailio.location (ruid, username, domain, contact, received, user_agent, expires)
      VALUES (${username}, ${username}, 'veil.test', 'sip:phone@127.0.0.1', 'sip:127.0.0.1:5060', 'phone', '2026-12-01')`;
    await sql`
      INSERT INTO account_codes (account_id, purpose, code_hash, email, expires_at)
      VALUES (${id}, 'verify_email', ${createHash('sha256').update(username).digest()}, ${address}, ${later})`;
    await sql`
      WITH call AS (
        INSERT INTO calls (id, call_id, caller_account_id, unknown_name, call_type, started_at, known_at, outcome)
        VALUES (gen_random_uuid(), ${`call-${username}`}, ${id}, 'nobody', 'audio', ${later}, ${later}, 'missed')
        RETURNING id)
      INSERT INTO call_events (call, kind, at, received_at) SELECT id, 'invite', ${later}, ${later} FROM call`;
    await sql`
      INSERT INTO mails (id, kind, account_id, recipient, next_try_at, expires_at)
      VALUES (gen_random_uuid(), 'verify_email', ${id}, ${address}, ${later}, ${later})`;
  }

  /** A text message that waits for a phone. */
  async function leaveRelayed(bearer: Account['bearer'], username: string): Promise<void> {
    const post = async (path: string, body?: object) => (await app.http.post(path).set(bearer).send(body)).body;
    const host = await post('/devices', { name: 'Home', type: 'host' });
    const client = await post('/devices', { name: 'Mobile', type: 'client' });
    const { code } = await post(`/pair?host_device_id=${host.id}`);
    await post('/pair/confirm', { code, client_device_id: client.id });
    await post('/sms', { to_device_id: host.id, sim: 1, to: '110', body: `Text of ${username}` });
  }

  it('tells everything that the tables hold of it', () => {
    const { username, id, jid } = alice;
    expect(document).toMatchObject({
      format: 1,
      account: { id, username, domain: 'veil.test', jid, email: null, google_sub: null, has_password: true },
      sessions: expect.arrayContaining([expect.objectContaining({ device_name: `Phone of ${username}` })]),
      push_registrations: [{ device_id: `device-${username}`, platform: 'ios', app_id: 'app' }],
      contacts: [{ jid: carol.jid }],
      devices: expect.arrayContaining([
        expect.objectContaining({ id: `laptop-${username}`, type: 'desktop', public_key: 'key', key_proven_at: null }),
      ]),
      pairings: [{ host_device_id: expect.any(String), client_device_id: expect.any(String) }],
      relay_messages: [{ msg_type: 'command', payload: { body: `Text of ${username}` }, acknowledged_at: null }],
      groups: [{ name: `Group of ${username}`, role: 'owner' }],
      sip_registrations: [
        { contact: 'sip:phone@127.0.0.1', user_agent: 'phone', expires_at: '2026-12-01T00:00:00.000Z' },
      ],
      one_time_codes: [{ purpose: 'verify_email', email: `${username}@mail.test` }],
      calls: [{ call_id: `call-${username}`, direction: 'outgoing', peer: 'nobody', type: 'audio', outcome: 'missed' }],
      mails: [{ kind: 'verify_email', recipient: `${username}@mail.test`, sent_at: null }],
    });
    expect(document.sessions).toHaveLength(2);
  });

  it('tells what the chat server gives, and how the rest is to be had', () => {
    expect(document.chat).toEqual({
      contacts: [{ jid: 'carol@veil.test', name: 'Carol', subscription: 'both', groups: ['Friends'] }],
      profile: { FN: alice.username },
      private_data: [],
      waiting_messages: 3,
    });
    expect(document.not_included).toContainEqual(
      expect.objectContaining({ what: 'messages', how: expect.stringContaining('XEP-0313') }),
    );
  });

  it('tells nothing of anybody else, and nothing that opens the account', async () => {
    expect(text).not.toContain(bob.username);
    expect(text).not.toContain(`token-${alice.username}`);
    const [row] = await app.database.sql`SELECT ha1 FROM kamailio.subscriber WHERE username = ${alice.username}`;
    expect(text).not.toContain(row?.ha1);
    expect(text).not.toMatch(/hash"/);
  });

  it('has the fields that OpenAPI and docs/export.md describe, and no other', () => {
    const { schemas = {} } = openApiDocument(app.app).components ?? {};
    const described = readFileSync(new URL('../../../../docs/export.md', import.meta.url), 'utf8');
    const compare = (schema: string, value: unknown): void => {
      const { properties = {} } = schemas[schema] as { properties?: Record<string, SchemaOfField> };
      expect({ [schema]: Object.keys(value as Fields).sort() }).toEqual({ [schema]: Object.keys(properties).sort() });
      for (const [name, field] of Object.entries(properties)) {
        expect(described).toContain(`\`${name}\``);
        const inner = nameOf(field.items ?? field);
        const part = (value as Fields)[name];
        if (inner) compare(inner, Array.isArray(part) ? (part[0] ?? {}) : part);
      }
    };
    compare('AccountExport', { ...document, chat: { ...document.chat, private_data: [{ namespace: '', xml: '' }] } });
  });

  it('comes page by page, however long a list is', async () => {
    const many = await app.register('many');
    await app.database.sql`
      INSERT INTO push_registrations (jid, device_uuid, account_id, platform, push_token, app_id)
      SELECT ${many.jid}, 'device-' || n, ${many.id}, 'ios', 'token', 'app' FROM generate_series(1, 1001) AS n`;
    const { body } = await app.http.get(PATH).set(many.bearer);
    const ids = (body.push_registrations as { device_id: string }[]).map(({ device_id }) => device_id);
    expect(new Set(ids).size).toBe(1001);
    expect(ids).toHaveLength(1001);
  });

  it('needs a login of the last minutes', async () => {
    const late = await app.register('late');
    await app.database.sql`
      UPDATE sessions SET authenticated_at = now() - interval '11 minutes' WHERE account_id = ${late.id}`;
    const answer = await app.http.get(PATH).set(late.bearer);
    expect([answer.status, answer.body.code]).toEqual([403, 'reauthentication_required']);
    expect((await app.http.get(PATH)).status).toBe(401);
  });

  it('is refused as a whole while the chat server is away', async () => {
    app.chatData.away = true;
    const answer = await app.http.get(PATH).set(alice.bearer);
    app.chatData.away = false;
    expect([answer.status, answer.body.code]).toEqual([503, 'chat_server_unavailable']);
  });

  it('is cut off when the database fails in the middle: what arrives is no document', async () => {
    jest.spyOn(ExportRepository.prototype, 'mails').mockRejectedValue(new Error('the database is away'));
    await expect(app.http.get(PATH).set(alice.bearer)).rejects.toThrow(/aborted|hang up|JSON/);
    jest.restoreAllMocks();
    expect((await app.http.get(PATH).set(alice.bearer)).status).toBe(200);
  });
});

it('is to be had a few times an hour', async () => {
  const app = await TestApp.start({ RATE_LIMIT_FACTOR: '1' });
  try {
    const { bearer } = await app.register();
    const statuses: number[] = [];
    for (let times = 0; times < 6; times += 1) statuses.push((await app.http.get(PATH).set(bearer)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  } finally {
    await app.stop();
  }
});

interface SchemaOfField {
  $ref?: string;
  items?: SchemaOfField;
  allOf?: SchemaOfField[];
}

/** The schema that a field refers to, if it does. */
const nameOf = ({ $ref, allOf }: SchemaOfField): string | undefined => ($ref ?? allOf?.[0]?.$ref)?.split('/').at(-1);
