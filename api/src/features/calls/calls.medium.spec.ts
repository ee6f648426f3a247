import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Metrics } from '../../common/metrics.js';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { FakeApns } from '../../testing/push/fake-apns.js';
import type { PushNotification, PushOutcome } from '../push/push-notification.js';
import { PushSender } from '../push/push-sender.js';
import { CallEvents } from './call-events.js';
import { CallNotices } from './call-notices.js';
import { CallPushes } from './call-pushes.js';
import type { CallDocument, CallEventDocument } from './calls.dto.js';
import { CallsService } from './calls.service.js';

type Account = Awaited<ReturnType<TestApp['register']>>;

const DAY_MS = 86_400_000;
const INSTANCE = '0a1b2c3d-0000-4000-8000-00000000000';

let app: TestApp;
let apns: FakeApns;
const clock = new FakeClock();
let alice: Account;
let bob: Account;
let callId: string;
let calls = 0;
/** What the sender was asked to send, and what it answers: all devices, when the gate opens. */
let sent: { accountId: string; notification: PushNotification; to: readonly string[] | undefined }[] = [];
let gate: Promise<unknown>;

beforeAll(async () => {
  clock.advance(Date.now() - clock.milliseconds());
  // So that devices with iOS have a provider, and others none.
  apns = await FakeApns.start();
  app = await TestApp.start(apns.environment, {}, clock);
});
afterAll(async () => {
  await app.stop();
  await apns.stop();
});

beforeEach(async () => {
  [alice, bob] = await Promise.all([app.register('alice'), app.register('bob')]);
  calls += 1;
  callId = `call-${calls}@veil.test`;
  sent = [];
  gate = Promise.resolve();
  jest.spyOn(app.app.get(PushSender), 'send').mockImplementation(async (accountId, notification, to) => {
    sent.push({ accountId, notification, to });
    await gate;
    const devices = await devicesOf(accountId);
    return devices.filter((id) => to?.includes(id) ?? true).map(accepted);
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

const accepted = (deviceId: string): PushOutcome => ({
  ...{ deviceId, provider: 'apns', result: 'accepted', detail: 'taken', at: clock.now() },
});

async function devicesOf(accountId: string): Promise<string[]> {
  const rows = await app.database.sql`
    SELECT device_uuid AS id FROM push_registrations WHERE account_id = ${accountId} ORDER BY 1`;
  return rows.map(({ id }) => id as string);
}

async function addDevice({ jid, bearer }: Account, id: string, platform = 'ios'): Promise<void> {
  const device = { jid, device_id: id, platform, push_token: `token-${id}`, app_id: 'com.example.app' };
  expect((await app.http.post('/api/v1/push/register').set(bearer).send(device)).status).toBe(200);
}

/** A device of bob's that has registered with the SIP server, under a contact of that name. */
async function addContact(ruid: string, instance: string): Promise<void> {
  await app.database.sql`
    INSERT INTO kamailio.location (ruid, username, domain, contact, instance)
    VALUES (${ruid}, ${bob.username}, 'veil.test', 'sip:bob@127.0.0.1', ${instance})`;
}

const seconds = (ms: number): string =>
  `${Math.floor(ms / 1000)}.${String(Math.round(ms % 1000) * 1000).padStart(6, '0')}`;

/** The call server's clock is an hour ahead. */
const sipTime = (ms = 0): string => seconds(clock.milliseconds() + 3_600_000 + ms);

const notify = (changes: object = {}) => {
  const parties = { caller_username: alice.username, callee_username: bob.username };
  return app.app.get(CallNotices).take({
    ...{ ...parties, call_id: callId, call_type: 'audio', at: sipTime(), sent_at: sipTime(), ...changes },
  } as never);
};

const event = (kind: string, changes: object = {}) => ({
  ...{ kind, call_id: callId, from_username: alice.username, to_username: bob.username, at: sipTime(), ...changes },
});

const tell = (...events: unknown[]) => app.app.get(CallEvents).take({ events, sent_at: sipTime() });

/** Whatever was begun by push is done. */
const settled = () => app.app.get(CallPushes).beforeApplicationShutdown();

const history = async (account: Account, query = ''): Promise<CallDocument[]> =>
  (await app.http.get(`/api/v1/calls${query}`).set(account.bearer)).body.calls;

const trace = (account: Account, id = callId) =>
  app.http.get(`/api/v1/calls/${encodeURIComponent(id)}/trace`).set(account.bearer);

const kinds = async (account: Account): Promise<string[]> =>
  (await trace(account)).body.events.map(({ kind }: CallEventDocument) => kind);

describe('the notice of a call', () => {
  it('has every device pushed once, and is answered before that', async () => {
    await addDevice(bob, 'one');
    await addDevice(bob, 'two');
    let open = (_: unknown): void => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const notices = await Promise.all([notify(), notify(), notify({ caller_username: alice.username.toUpperCase() })]);
    expect(notices.map(({ status }) => status).sort()).toEqual(['accepted', 'repeated', 'repeated']);
    expect(notices.find(({ status }) => status === 'accepted')).toEqual({
      status: 'accepted',
      sent: 2,
      registrations: 2,
    });
    expect(sent).toHaveLength(1);
    open(undefined);
    await settled();
    expect(await kinds(bob)).toEqual(['push', 'push']);
    expect((await notify()).status).toBe('repeated');
  });

  it('says until when it is worth while, however long it was on its way and whatever the time is there', async () => {
    await addDevice(bob, 'one');
    await notify({ sent_at: sipTime(5000), caller_display_name: 'Alice "A" \u202e', call_type: 'video' });
    expect(sent[0]).toMatchObject({
      accountId: bob.id,
      notification: {
        ...{ kind: 'call', callId, callerUsername: alice.username, callerName: 'Alice "A" \u202e', callType: 'video' },
        expiresAt: new Date(clock.milliseconds() - 5000 + 45_000),
      },
    });
    expect(await history(bob)).toMatchObject([
      { type: 'video', started_at: new Date(clock.milliseconds() + 3_600_000).toISOString() },
    ]);
  });

  it.each([
    ['nobody has', () => 'nobody_here'],
    ['somebody without a device has', () => bob.username],
  ])('is answered alike for a name that %s', async (_, callee) => {
    expect(await notify({ callee_username: callee() })).toEqual({
      status: 'no_registrations',
      sent: 0,
      registrations: 0,
    });
    expect(await history(alice)).toMatchObject([{ direction: 'outgoing', peer: callee(), outcome: null }]);
    expect(sent).toEqual([]);
  });

  it('of somebody who has no account here rings as well, once', async () => {
    await addDevice(bob, 'one');
    const stranger = { caller_username: 'someone_else' };
    expect([(await notify(stranger)).status, (await notify(stranger)).status]).toEqual(['accepted', 'repeated']);
    expect(await history(bob)).toMatchObject([{ direction: 'incoming', peer: 'someone_else' }]);
  });

  it('counts a device as pushed whose provider the operator has set up, and no other; the trace says why', async () => {
    await addDevice(bob, 'phone', 'android');
    expect(await notify()).toEqual({ status: 'not_configured', sent: 0, registrations: 1 });
    jest.restoreAllMocks();
    expect(await notify({ call_id: `${callId}-again` })).toEqual({
      status: 'not_configured',
      sent: 0,
      registrations: 1,
    });
    await settled();
    expect((await trace(bob, `${callId}-again`)).body.events).toMatchObject([
      { kind: 'push', device_id: 'phone', provider: 'fcm', result: 'not_configured' },
    ]);
    await addDevice(bob, 'tablet');
    expect(await notify({ call_id: `${callId}-tablet` })).toEqual({ status: 'accepted', sent: 1, registrations: 2 });
  });

  it('of a stranger, too, counts no device whose provider is not set up', async () => {
    await addDevice(bob, 'phone', 'android');
    const stranger = { caller_username: 'someone_else' };
    expect(await notify(stranger)).toEqual({ status: 'not_configured', sent: 0, registrations: 1 });
  });

  it('rings nobody any more when the call is over', async () => {
    await addDevice(bob, 'one');
    await tell(event('ended', { status: 487 }));
    expect(await notify()).toEqual({ status: 'accepted', sent: 0, registrations: 1 });
    expect(sent).toEqual([]);
  });
});

describe('what becomes of a call', () => {
  it('is told by its trace, to the callee as a whole, to the caller what his phone heard', async () => {
    await addDevice(bob, `${INSTANCE}1`);
    await addContact('uloc-1', `<urn:uuid:${INSTANCE.toUpperCase()}1>`);
    await notify();
    await settled();
    await tell(
      event('invite', { call_type: 'audio' }),
      event('held', { at: sipTime(1) }),
      event('registered', { at: sipTime(2000), ruid: 'uloc-1' }),
      event('invited', { at: sipTime(2001), ruid: 'uloc-1' }),
      event('ringing', { at: sipTime(2100), ruid: 'uloc-1' }),
      event('answered', { at: sipTime(4000), ruid: 'uloc-1' }),
    );
    await tell(event('hung_up', { at: sipTime(64_000), from_username: bob.username, to_username: alice.username }));
    const whole = (await trace(bob)).body;
    expect(whole.call).toMatchObject({
      ...{ direction: 'incoming', peer: alice.username, outcome: 'answered', duration_seconds: 60 },
    });
    expect(whole.events.map(({ ms, kind, device_id }: CallEventDocument) => [ms, kind, device_id])).toEqual([
      ...[
        [0, 'push', `${INSTANCE}1`],
        [0, 'invite', null],
        [1, 'held', null],
        [2000, 'registered', `${INSTANCE}1`],
      ],
      ...[
        [2001, 'invited', `${INSTANCE}1`],
        [2100, 'ringing', `${INSTANCE}1`],
        [4000, 'answered', `${INSTANCE}1`],
      ],
      [64_000, 'hung_up', null],
    ]);
    const told = (await trace(alice)).body;
    expect(told.call).toMatchObject({ direction: 'outgoing', peer: bob.username });
    expect(told.events.map(({ kind }: CallEventDocument) => kind)).toEqual([
      ...['invite', 'held', 'ringing', 'answered', 'hung_up'],
    ]);
    expect(JSON.stringify(told)).not.toContain(INSTANCE);
  });

  it('is the same in whatever order it is told, and however often', async () => {
    const events = [
      event('invite', { call_type: 'video' }),
      event('ended', { at: sipTime(900), status: 487 }),
      event('answered', { at: sipTime(901), ruid: 'uloc-9' }),
      event('hung_up', { at: sipTime(3901) }),
    ];
    const expected = { type: 'video', outcome: 'answered', duration_seconds: 3 };
    for (const shift of [0, 1, 2, 3]) {
      calls += 1;
      callId = `order-${calls}@veil.test`;
      const turned = [...events.slice(shift), ...events.slice(0, shift)].map((one) => ({ ...one, call_id: callId }));
      for (const one of turned) await tell(one);
      expect((await tell(...turned)).recorded).toBeLessThanOrEqual(1);
      const [call] = await history(alice, '?limit=1');
      // The one who hangs up is not known for the caller: told first, it opens no call, and is told again.
      expect(call).toMatchObject(expected);
      expect((await trace(alice)).body.events).toHaveLength(4);
    }
  });

  it.each([
    [487, 'cancelled'],
    [603, 'declined'],
    [486, 'busy'],
    [480, 'missed'],
    [408, 'missed'],
    [500, 'failed'],
  ])('ends with %i: %s', async (status, outcome) => {
    await tell(event('invite'), event('ended', { status, at: sipTime(100) }));
    expect(await history(bob)).toMatchObject([{ outcome, duration_seconds: null, answered_at: null }]);
  });

  it('is not known from what is no event, nor from whom it does not concern', async () => {
    const carol = await app.register('carol');
    await tell(event('invite'));
    const bad = [
      null,
      1,
      'x',
      [],
      {},
      event('born'),
      event('held', { at: 'now' }),
      event('held', { call_id: '\u0000' }),
    ];
    const strange = [
      event('hung_up', { from_username: carol.username }),
      event('ended', { from_username: 'nobody', status: 603 }),
    ];
    expect(await tell(...bad, ...strange, event('held'))).toEqual({ status: 'accepted', recorded: 1, ignored: 10 });
    expect((await history(alice))[0]?.outcome).toBeNull();
  });

  it('is counted', async () => {
    await tell(
      event('invite'),
      event('held'),
      event('registered', { at: sipTime(700) }),
      event('answered', { at: sipTime(800) }),
    );
    const text = await app.app.get(Metrics).text();
    expect(text).toMatch(/^veil_calls_held_total [1-9]/m);
    expect(text).toMatch(/^veil_calls_total\{outcome="answered"\} [1-9]/m);
    expect(text).toMatch(/^veil_call_wake_seconds_count [1-9]/m);
  });
});

describe('devices that did not take the call', () => {
  beforeEach(async () => {
    await addDevice(bob, `${INSTANCE}1`);
    await addDevice(bob, `${INSTANCE}2`);
    await addDevice(bob, 'no-uuid');
    await addContact(`uloc-a-${calls}`, `"<urn:uuid:${INSTANCE}1>"`);
    await addContact(`uloc-b-${calls}`, '"<no-uuid>"');
  });
  const ends = () => sent.filter(({ notification }) => notification.kind === 'call_ended');

  it.each([
    [{ kind: 'answered' }, 'answered_elsewhere'],
    [{ kind: 'ended', status: 603 }, 'declined_elsewhere'],
    [{ kind: 'ended', status: 487 }, 'cancelled'],
    [{ kind: 'ended', status: 480 }, 'missed'],
  ])('are told once, unless they learn it over SIP (%j)', async (end, reason) => {
    await notify();
    await settled();
    const last = event(end.kind, { ...end, at: sipTime(900) });
    await tell(
      event('invited', { ruid: `uloc-a-${calls}` }),
      event('invited', { ruid: `uloc-b-${calls}`, at: sipTime(1) }),
    );
    await tell(last);
    await tell(last);
    await settled();
    expect(ends()).toEqual([
      { accountId: bob.id, notification: { kind: 'call_ended', callId, reason }, to: [`${INSTANCE}2`] },
    ]);
    expect(await kinds(bob)).toContain('end_push');
  });

  it('are told when a provider has taken the call itself, if it was over before', async () => {
    let open = (_: unknown): void => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    await notify();
    await tell(event('ended', { status: 487, at: sipTime(300) }));
    expect(ends()).toEqual([]);
    open(undefined);
    await settled();
    expect(ends()).toHaveLength(1);
    expect(ends()[0]?.to).toHaveLength(3);
  });
});

describe('the history', () => {
  it('comes page by page, the newest first', async () => {
    for (const n of [1, 2, 3, 4, 5]) await tell(event('invite', { call_id: `${callId}-${n}`, at: sipTime(n) }));
    const first = (await app.http.get('/api/v1/calls?limit=3').set(bob.bearer)).body;
    const second = (await app.http.get(`/api/v1/calls?limit=3&before=${first.next}`).set(bob.bearer)).body;
    const ids = [...first.calls, ...second.calls].map(({ call_id }: CallDocument) => call_id.slice(-1));
    expect([ids, second.next]).toEqual([['5', '4', '3', '2', '1'], null]);
  });

  it.each(['?limit=0', '?limit=101', '?limit=x', '?before=x', '?limit=1&limit=2'])('refuses %s', async (query) => {
    const answer = await app.http.get(`/api/v1/calls${query}`).set(alice.bearer);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
  });

  it('is nobody else’s', async () => {
    const carol = await app.register('carol');
    await tell(event('invite'));
    expect(await history(carol)).toEqual([]);
    expect([(await trace(carol)).status, (await trace(alice)).status, (await trace(alice, 'x')).status]).toEqual([
      404, 200, 404,
    ]);
    expect((await app.http.get('/api/v1/calls')).status).toBe(401);
  });

  it('has one row for a call to oneself', async () => {
    await tell(event('invite', { to_username: alice.username }));
    expect(await history(alice)).toMatchObject([{ direction: 'outgoing', peer: alice.username }]);
  });

  it('stays with the other party without the account that is gone, and whoever gets the name has none of it', async () => {
    await addDevice(bob, 'gone');
    await notify();
    await settled();
    await tell(
      event('invited', { ruid: 'uloc' }),
      event('answered', { at: sipTime(100) }),
      event('hung_up', { at: sipTime(1100) }),
    );
    const { jid, password, username, bearer } = bob;
    await app.http.delete('/api/v1/account').set(bearer).send({ jid, password });
    await app.finishRemovals();
    expect(await history(alice)).toMatchObject([{ peer: null, outcome: 'answered', duration_seconds: 1 }]);
    const rows = await app.database
      .sql`SELECT c::text || e::text AS text FROM calls c JOIN call_events e ON e.call = c.id
      WHERE c.call_id = ${callId}`;
    for (const { text } of rows) for (const sign of [username, bob.id, 'gone']) expect(text).not.toContain(sign);
    await app.http.delete('/api/v1/account').set(alice.bearer).send({ jid: alice.jid, password: alice.password });
    await app.finishRemovals();
    await app.app.get(CallsService).tidy(100);
    expect(await app.database.sql`SELECT FROM calls WHERE call_id = ${callId}`).toHaveLength(0);
  });
});

it('goes when its time is over; a call that never ended is given up', async () => {
  await tell(event('invite'));
  const tidy = () => app.app.get(CallsService).tidy(100);
  await tidy();
  expect((await history(alice))[0]?.outcome).toBeNull();
  clock.advance(600_001);
  await tidy();
  expect((await history(alice))[0]?.outcome).toBe('unknown');
  await tell(event('answered', { at: sipTime(-600_000) }));
  expect((await history(alice))[0]?.outcome).toBe('answered');
  clock.advance(90 * DAY_MS - 660_000);
  const { sql } = app.database;
  await tidy();
  expect(await sql`SELECT FROM calls WHERE call_id = ${callId}`).toHaveLength(1);
  clock.advance(120_000);
  await tidy();
  expect(await sql`SELECT FROM calls WHERE call_id = ${callId}`).toHaveLength(0);
});

describe('with limits', () => {
  let limited: TestApp;
  beforeAll(async () => {
    limited = await TestApp.start({ RATE_LIMIT_FACTOR: '1', CALL_HISTORY_DAYS: '0', RING_SECONDS: '0' });
  });
  afterAll(() => limited.stop());

  it('a call beyond them wakes nobody, which its trace says; calls are kept for ever if that is wanted', async () => {
    const [caller, callee] = await Promise.all([limited.register(), limited.register()]);
    const notices = limited.app.get(CallNotices);
    const parties = { caller_username: caller.username, callee_username: callee.username, call_type: 'audio' } as const;
    const statuses: string[] = [];
    for (let n = 0; n < 22; n += 1) statuses.push((await notices.take({ ...parties, call_id: `n-${n}` })).status);
    expect(statuses).toEqual([...Array(20).fill('no_registrations'), 'limited', 'limited']);
    const { body } = await limited.http.get('/api/v1/calls/n-21/trace').set(callee.bearer);
    expect(body.events).toMatchObject([{ kind: 'push_limited', detail: expect.stringContaining('too many calls') }]);
    await limited.database.sql`UPDATE calls SET known_at = '2001-01-01', started_at = '2001-01-01'`;
    await limited.app.get(CallsService).tidy(100);
    expect((await limited.http.get('/api/v1/calls').set(caller.bearer)).body.calls).toHaveLength(22);
  });
});
