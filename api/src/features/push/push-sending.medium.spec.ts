import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../common/metrics.js';
import { TestApp } from '../../testing/app.js';
import { FakeApns } from '../../testing/push/fake-apns.js';
import { FakeFcm, fcmError } from '../../testing/push/fake-fcm.js';
import { FakeWebPush } from '../../testing/push/fake-webpush.js';
import type { PushNotification } from './push-notification.js';
import { PushSender } from './push-sender.js';

const RING_MS = 20_000;
/** What is answered later is sent again: long, since a thousand at once take a while. */
const PROVIDER_MS = 20_000;

describe('pushes', () => {
  let app: TestApp;
  let apns: FakeApns;
  let fcm: FakeFcm;
  let web: FakeWebPush;
  beforeAll(async () => {
    [apns, fcm, web] = await Promise.all([FakeApns.start(), FakeFcm.start(), FakeWebPush.start()]);
    const providers = { ...apns.environment, ...fcm.environment, ...web.environment };
    app = await TestApp.start({ ...providers, PUSH_SHOW_CALLER: 'on', NEIGHBOUR_TIMEOUT_MS: String(PROVIDER_MS) });
  });
  afterEach(() => {
    for (const fake of [apns, fcm, web]) fake.forget();
  });
  afterAll(async () => {
    await app.stop();
    await Promise.all([apns.stop(), fcm.stop(), web.stop()]);
  });

  type Account = Awaited<ReturnType<TestApp['register']>>;
  const register = async ({ jid, bearer }: Account, device: object) => {
    const body = { jid, app_id: 'com.example.veil', ...device };
    const answer = await app.http.post('/api/v1/push/register').set(bearer).send(body);
    expect([answer.status, answer.body.status]).toEqual([200, 'registered']);
  };
  const iphone = { device_id: 'a-iphone', platform: 'ios', push_token: 'a1'.repeat(32), alert_token: 'b2'.repeat(32) };
  const android = { device_id: 'b-android', platform: 'android', push_token: 'fcm-token' };
  const browser = () => ({ device_id: 'c-browser', ...web.subscribe() });
  const withDevices = async (...devices: object[]): Promise<Account> => {
    const account = await app.register();
    for (const device of devices) await register(account, device);
    return account;
  };
  const send = ({ id }: Account, notification: PushNotification, to?: string[]) =>
    app.app.get(PushSender).send(id, notification, to);
  const call = (changes: object = {}): PushNotification => ({
    kind: 'call',
    callId: 'call@1',
    callerUsername: 'bob',
    callerName: 'Bob "the" Builder',
    callType: 'video',
    expiresAt: new Date(Date.now() + RING_MS),
    ...changes,
  });
  const rows = ({ jid }: Account) => app.database.sql`
    SELECT device_uuid, push_token, alert_token, environment FROM push_registrations WHERE jid = ${jid} ORDER BY device_uuid`;
  const results = (outcomes: { deviceId: string; provider: string; result: string }[]) =>
    outcomes.map(({ deviceId, provider, result }) => [deviceId, provider, result]);

  it('reach every device of an account by its provider', async () => {
    const account = await withDevices(iphone, android, browser());
    const notification = call();
    expect(results(await send(account, notification))).toEqual([
      ['a-iphone', 'apns', 'accepted'],
      ['b-android', 'fcm', 'accepted'],
      ['c-browser', 'webpush', 'accepted'],
    ]);
    const data = {
      type: 'call',
      call_id: 'call@1',
      call_type: 'video',
      expires_at: notification.kind === 'call' ? notification.expiresAt.toISOString() : '',
      caller_username: 'bob',
      caller_name: 'Bob "the" Builder',
    };
    expect(apns.accepted).toMatchObject([{ pushType: 'voip', token: iphone.push_token, payload: data }]);
    expect(fcm.messages).toMatchObject([{ token: 'fcm-token', data }]);
    expect(web.messages).toMatchObject([{ data, urgency: 'high' }]);
    expect(Number.parseInt(fcm.messages[0]?.android.ttl ?? '', 10)).toBeLessThanOrEqual(RING_MS / 1000);
  });

  it('reach the devices that are named, and no other account', async () => {
    const account = await withDevices(android, { ...android, device_id: 'other', push_token: 'other' });
    await withDevices({ ...android, push_token: 'of-another-account' });
    expect(results(await send(account, call(), ['other', 'of-nobody']))).toEqual([['other', 'fcm', 'accepted']]);
    expect(fcm.messages.map(({ token }) => token)).toEqual(['other']);
  });

  it('of a call that ends sooner than a provider may take to answer are sent as well', async () => {
    const account = await withDevices(iphone, android, browser());
    const outcomes = await send(account, call({ expiresAt: new Date(Date.now() + PROVIDER_MS / 2) }));
    expect(outcomes.map(({ result }) => result)).toEqual(['accepted', 'accepted', 'accepted']);
  });

  it('that end a call or tell of a message never ring', async () => {
    const account = await withDevices(iphone, { ...iphone, device_id: 'no-alerts', alert_token: undefined });
    const ended = await send(account, { kind: 'call_ended', callId: 'call@1', reason: 'answered_elsewhere' });
    await send(account, { kind: 'call_ended', callId: 'call@1', reason: 'missed' });
    await send(account, { kind: 'message', urgent: true });
    await send(account, { kind: 'message', urgent: false });
    expect(results(ended)).toEqual([
      ['a-iphone', 'apns', 'accepted'],
      ['no-alerts', 'apns', 'rejected'],
    ]);
    const aps = (text: string) => expect.objectContaining({ alert: expect.objectContaining({ 'loc-key': text }) });
    expect(apns.requests.map(({ token, pushType, payload }) => [token, pushType, payload])).toEqual([
      [
        iphone.alert_token,
        'background',
        { type: 'call_ended', call_id: 'call@1', reason: 'answered_elsewhere', aps: { 'content-available': 1 } },
      ],
      [
        iphone.alert_token,
        'alert',
        { type: 'call_ended', call_id: 'call@1', reason: 'missed', aps: aps('Missed call') },
      ],
      [iphone.alert_token, 'alert', { type: 'message', aps: aps('New message') }],
      [iphone.alert_token, 'background', { type: 'message', aps: { 'content-available': 1 } }],
    ]);
  });

  it('go to the environment of the token', async () => {
    const account = await withDevices({ ...iphone, environment: 'sandbox' });
    await send(account, call());
    expect(apns.accepted).toMatchObject([{ environment: 'sandbox' }]);
  });

  it.each([
    ['busy', { status: 429, headers: { 'retry-after': '0' } }],
    ['away', { status: 503 }],
    ['cut off', 'reset' as const],
  ])('are repeated while a provider is %s', async (_, answer) => {
    const account = await withDevices(iphone, android, browser());
    for (const { script } of [apns, fcm, web]) script.once(answer, answer);
    expect((await send(account, call())).map(({ result }) => result)).toEqual(['accepted', 'accepted', 'accepted']);
    expect([apns.accepted.length, fcm.messages.length, web.messages.length]).toEqual([1, 1, 1]);
    expect(await rows(account)).toHaveLength(3);
  });

  it('are repeated when the provider asked for that, and not before', async () => {
    const account = await withDevices(iphone);
    apns.script.once({ status: 429, headers: { 'retry-after': '1' }, body: { reason: 'TooManyRequests' } });
    const startedAt = performance.now();
    expect(await send(account, call())).toMatchObject([{ result: 'accepted' }]);
    expect(performance.now() - startedAt).toBeGreaterThan(950);
    expect(apns.requests).toHaveLength(2);
  });

  it('are given up when the call has ended, and lose no device', async () => {
    const account = await withDevices(iphone, android, browser());
    apns.script.from('silence');
    fcm.script.from(fcmError(503, 'UNAVAILABLE'));
    web.script.from({ status: 503, headers: { 'retry-after': '3600' } });
    const startedAt = performance.now();
    const outcomes = await send(account, call({ expiresAt: new Date(Date.now() + 1500) }));
    expect(performance.now() - startedAt).toBeLessThan(2500);
    expect(outcomes).toMatchObject([
      { result: 'failed', detail: expect.stringContaining('in time') },
      { result: 'failed', detail: 'FCM answered 503' },
      { result: 'failed', detail: 'the web push service answered 503' },
    ]);
    expect(fcm.sends).toBeGreaterThan(1);
    expect(await rows(account)).toHaveLength(3);
  });

  it('are not sent for a call that has ended before', async () => {
    const account = await withDevices(iphone);
    const outcomes = await send(account, call({ expiresAt: new Date(Date.now() - 1) }));
    expect(outcomes).toMatchObject([{ result: 'failed', detail: expect.stringContaining('no time') }]);
    expect(apns.requests).toEqual([]);
  });

  it('are not repeated once their call is cancelled', async () => {
    const account = await withDevices(android);
    const other = await withDevices(android);
    fcm.script.once({ status: 503, headers: { 'retry-after': '10' } });
    const ringing = send(account, call());
    while (fcm.sends === 0) await new Promise(setImmediate);
    await send(other, { kind: 'call_ended', callId: 'call@1', reason: 'cancelled' });
    await send(account, { kind: 'call_ended', callId: 'another', reason: 'cancelled' });
    await send(account, { kind: 'call_ended', callId: 'call@1', reason: 'cancelled' });
    expect(await ringing).toMatchObject([{ result: 'failed', detail: 'FCM answered 503' }]);
    expect(fcm.messages.map(({ data }) => data.type)).toEqual(['call_ended', 'call_ended', 'call_ended']);
  });

  describe('that find a token dead', () => {
    const gone = (timestamp: number) => ({ status: 410, body: { reason: 'Unregistered', timestamp } });

    it('forget it, and it alone', async () => {
      const account = await withDevices(iphone, android, browser(), { ...android, device_id: 'alive' });
      apns.script.once(gone(Date.now() + 1000));
      fcm.script.once(fcmError(404, 'NOT_FOUND', 'UNREGISTERED'));
      web.script.once({ status: 410 });
      const dead = await send(account, call(), ['a-iphone', 'b-android', 'c-browser']);
      expect(dead.map(({ result }) => result)).toEqual(['unregistered', 'unregistered', 'unregistered']);
      expect(await rows(account)).toMatchObject([{ device_uuid: 'alive' }]);
      expect(await send(account, call())).toMatchObject([{ deviceId: 'alive', result: 'accepted' }]);
    });

    it('keep the device when only its alerts are dead', async () => {
      const account = await withDevices(iphone);
      apns.script.once(gone(Date.now() + 1000));
      expect(await send(account, { kind: 'message', urgent: true })).toMatchObject([{ result: 'unregistered' }]);
      expect(await rows(account)).toMatchObject([{ push_token: iphone.push_token, alert_token: null }]);
    });

    it('keep one that was registered after it had died', async () => {
      const account = await withDevices(iphone);
      apns.script.once(gone(Date.now() - 60_000));
      expect(await send(account, call())).toMatchObject([{ result: 'unregistered' }]);
      expect(await rows(account)).toHaveLength(1);
    });

    it.each([
      ['another', { push_token: 'c3'.repeat(32) }],
      ['the same', {}],
    ])('keep %s that is registered meanwhile', async (_, changes) => {
      const account = await withDevices(iphone);
      apns.script.once(
        { status: 503, headers: { 'retry-after': '1' } },
        { status: 400, body: { reason: 'BadDeviceToken' } },
      );
      const sending = send(account, call());
      while (apns.requests.length === 0) await new Promise(setImmediate);
      await register(account, { ...iphone, ...changes });
      expect(await sending).toMatchObject([{ result: 'unregistered' }]);
      expect(await rows(account)).toMatchObject([{ ...changes, device_uuid: 'a-iphone' }]);
    });
  });

  it('of a storm are all delivered once it is over, and no token is lost', async () => {
    const account = await app.register();
    const many = 1000;
    await app.database.sql`
      INSERT INTO push_registrations (jid, device_uuid, account_id, platform, push_token, app_id)
      SELECT ${account.jid}, 'device-' || n, ${account.id}, 'ios', lpad(to_hex(n), 64, '0'), 'com.example.veil'
      FROM generate_series(1, ${many}) n`;
    apns.script.from({ status: 503, body: { reason: 'ServiceUnavailable' } });
    const sending = send(account, call());
    while (apns.requests.length < many) await new Promise(setImmediate);
    expect(apns.accepted).toEqual([]);
    apns.script.from(null);
    const outcomes = await sending;
    expect(outcomes.filter(({ result }) => result === 'accepted')).toHaveLength(many);
    expect(new Set(apns.accepted.map(({ token }) => token)).size).toBe(many);
    expect(apns.accepted).toHaveLength(many);
    expect(await rows(account)).toHaveLength(many);
  });

  it('are counted by provider and outcome, and their times measured', async () => {
    const account = await withDevices(android);
    await send(account, call());
    const text = await app.app.get(Metrics).text();
    expect(text).toMatch(/^veil_pushes_total\{provider="fcm",outcome="accepted"\} \d+$/m);
    expect(text).toMatch(/^veil_pushes_total\{provider="apns",outcome="unregistered"\} \d+$/m);
    expect(text).toMatch(/^veil_neighbour_seconds_count\{neighbour="apns",operation="push"\} \d+$/m);
    expect(text).toMatch(/^veil_neighbour_failures_total\{neighbour="fcm",operation="push"\} \d+$/m);
  });
});
