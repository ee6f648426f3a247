import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Clock } from '../../common/clock.js';
import { testConfig } from '../../testing/config.js';
import { Certificate } from '../../testing/push/certificate.js';
import { FakeApns } from '../../testing/push/fake-apns.js';
import type { PushMessage, PushTarget } from '../push/push-client.js';
import { ApnsClient } from './apns.client.js';

const WITHIN_MS = 5000;

describe('APNs', () => {
  let fake: FakeApns;
  let client: ApnsClient;
  const clock = new Clock();
  beforeAll(async () => {
    fake = await FakeApns.start();
  });
  beforeEach(() => use({}));
  afterEach(async () => {
    await client.onApplicationShutdown();
    fake.forget();
  });
  afterAll(() => fake.stop());

  const use = (settings: NodeJS.ProcessEnv): void => {
    client = new ApnsClient(clock, testConfig({ ...fake.environment, ...settings }));
  };
  const target: PushTarget = {
    token: 'a1'.repeat(32),
    alertToken: 'b2'.repeat(32),
    appId: 'com.example.veil',
    environment: 'production',
    keys: null,
  };
  const message = (changes: Partial<PushMessage> = {}): PushMessage => ({
    data: { type: 'call', call_id: 'c@1' },
    rings: true,
    shown: null,
    urgent: true,
    topic: null,
    expiresAt: new Date(clock.milliseconds() + 30_000),
    ...changes,
  });
  const deliver = (changes: Partial<PushMessage> = {}, to: Partial<PushTarget> = {}, withinMs = WITHIN_MS) =>
    client.deliver({ ...target, ...to }, message(changes), withinMs);

  it('rings by a VoIP push that is not kept', async () => {
    expect(await deliver()).toEqual({ result: 'accepted', detail: 'APNs took it' });
    expect(fake.requests).toEqual([
      {
        environment: 'production',
        token: target.token,
        topic: 'com.example.veil.voip',
        pushType: 'voip',
        priority: 10,
        expiration: 0,
        collapseId: null,
        payload: { type: 'call', call_id: 'c@1' },
        status: 200,
      },
    ]);
  });

  it('sends all else to the other token: shown, or in the background', async () => {
    await deliver({ rings: false, shown: 'New message', topic: 'message' });
    await deliver({ rings: false });
    await deliver({ rings: false, shown: 'New message', urgent: false });
    expect(fake.accepted).toMatchObject([
      {
        token: target.alertToken,
        topic: 'com.example.veil',
        pushType: 'alert',
        priority: 10,
        collapseId: 'message',
        payload: { aps: { alert: { 'loc-key': 'New message' }, sound: 'default', 'mutable-content': 1 } },
      },
      { token: target.alertToken, pushType: 'background', priority: 5, payload: { aps: { 'content-available': 1 } } },
      { token: target.alertToken, pushType: 'background', priority: 5, payload: { aps: { 'content-available': 1 } } },
    ]);
    const [{ expiration } = { expiration: 0 }] = fake.accepted;
    expect(Math.abs((expiration ?? 0) - clock.seconds() - 30)).toBeLessThan(5);
  });

  it('asks the service that a token is of', async () => {
    await deliver({}, { environment: 'sandbox' });
    expect(fake.accepted).toMatchObject([{ environment: 'sandbox' }]);
  });

  it.each([
    ['no alert token', { rings: false }, { alertToken: null }, /alert_token/],
    ['a token that is none', {}, { token: 'what/../ever' }, /no token of APNs/],
    ['an app id that is none', {}, { appId: 'com.example\u00e9' }, /no bundle id/],
    ['too much', { data: { type: 'x'.repeat(5200) } }, {}, /5120 bytes/],
  ])('sends nothing with %s', async (_, changes, to, detail) => {
    const delivery = await deliver(changes, to);
    expect(delivery).toEqual({ result: 'rejected', detail: expect.stringMatching(detail) });
    expect(fake.requests).toEqual([]);
  });

  it('takes the whole of what APNs takes', async () => {
    const rest = JSON.stringify({ type: 'call', fill: '' }).length;
    expect(await deliver({ data: { type: 'call', fill: 'x'.repeat(5120 - rest) } })).toMatchObject({
      result: 'accepted',
    });
  });

  it.each([
    [410, 'Unregistered'],
    [400, 'BadDeviceToken'],
    [410, 'ExpiredToken'],
  ])('knows a dead token by %i %s', async (status, reason) => {
    fake.script.once({ status, body: { reason, ...(status === 410 ? { timestamp: 1_700_000_000_123 } : {}) } });
    expect(await deliver()).toEqual({
      result: 'unregistered',
      which: 'token',
      at: status === 410 ? new Date(1_700_000_000_123) : null,
      detail: expect.stringContaining(`APNs answered ${status} ${reason}: `),
    });
    fake.script.once({ status, body: { reason } });
    expect(await deliver({ rings: false })).toMatchObject({ result: 'unregistered', which: 'alertToken' });
  });

  it('says which environment a token may be of', async () => {
    fake.script.from({ status: 400, body: { reason: 'BadDeviceToken' } });
    expect(await deliver()).toMatchObject({ detail: expect.stringContaining('"sandbox"') });
    expect(await deliver({}, { environment: 'sandbox' })).toMatchObject({
      detail: expect.stringContaining('"production"'),
    });
  });

  it.each([
    [403, 'InvalidProviderToken', /APNS_KEY, APNS_KEY_ID and APNS_TEAM_ID/],
    [400, 'TopicDisallowed', /APNS_TEAM_ID/],
    [400, 'DeviceTokenNotForTopic', /bundle id/],
    [413, 'PayloadTooLarge', /bytes/],
    [400, 'SomethingNew', /400 SomethingNew$/],
  ])('says what to do about %i %s', async (status, reason, detail) => {
    fake.script.once({ status, body: { reason } });
    expect(await deliver()).toEqual({ result: 'rejected', detail: expect.stringMatching(detail) });
  });

  it.each([
    [429, 'TooManyRequests', { 'retry-after': '7' }, 7000],
    [503, 'ServiceUnavailable', {}, null],
    [503, 'Shutdown', { 'retry-after': '1' }, 1000],
    [500, 'InternalServerError', {}, null],
    [403, 'ExpiredProviderToken', {}, null],
  ])('asks for another attempt after %i %s, and made one itself', async (status, reason, headers, afterMs) => {
    fake.script.from({ status, body: { reason }, headers });
    const detail = expect.stringContaining(`APNs answered ${status}`);
    expect(await deliver()).toEqual({ result: 'retry', detail, afterMs });
    expect(fake.requests).toHaveLength(1);
    fake.script.clear();
    expect(await deliver()).toMatchObject({ result: 'accepted' });
  });

  it('makes nothing of an answer that is none', async () => {
    fake.script.once({ status: 502, body: '<html>' }, { status: 404 });
    expect(await deliver()).toMatchObject({ result: 'retry', detail: 'APNs answered 502' });
    expect(await deliver()).toMatchObject({ result: 'rejected', detail: 'APNs answered 404' });
  });

  it('uses one connection, and another when that one is cut or must not be used any more', async () => {
    const before = fake.connections;
    await Promise.all(Array.from({ length: 50 }, () => deliver()));
    expect(fake.connections - before).toBe(1);
    fake.script.once('reset');
    expect(await deliver()).toMatchObject({ result: 'retry', detail: expect.stringContaining('could not be reached') });
    expect(await deliver()).toMatchObject({ result: 'accepted' });
    expect(fake.connections - before).toBe(2);
    fake.goAway();
    const again = await Promise.all(Array.from({ length: 5 }, () => deliver()));
    const rest = await deliver();
    expect(again.every(({ result }) => result === 'accepted' || result === 'retry')).toBe(true);
    expect(rest).toMatchObject({ result: 'accepted' });
    expect(fake.connections - before).toBe(3);
  });

  it('waits no longer than it may, and then trusts the connection no more', async () => {
    await deliver();
    const before = fake.connections;
    fake.script.once('silence');
    expect(await deliver({}, {}, 150)).toEqual({
      result: 'retry',
      detail: 'APNs did not answer in time',
      afterMs: null,
    });
    expect(await deliver()).toMatchObject({ result: 'accepted' });
    expect(fake.connections - before).toBe(1);
  });

  it('says so when APNs is away', async () => {
    await fake.down();
    const away = await deliver();
    expect(away).toMatchObject({ result: 'retry', detail: expect.stringMatching(/ECONNREFUSED.*APNS_URL/) });
    await fake.up();
    expect(await deliver()).toMatchObject({ result: 'accepted' });
  });

  it('trusts no certificate but that of its authority', async () => {
    const stranger = new Certificate();
    await fake.down();
    await fake.up(stranger);
    const delivery = await deliver();
    await fake.down();
    await fake.up();
    stranger.release();
    expect(delivery).toMatchObject({ result: 'failed', detail: expect.stringMatching(/not trusted.*APNS_CA_FILE/) });
  });

  it('is refused with a key that APNs does not know', async () => {
    await client.onApplicationShutdown();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    use({ APNS_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
    expect(await deliver()).toMatchObject({
      result: 'rejected',
      detail: expect.stringContaining('InvalidProviderToken'),
    });
  });

  it('is not set up without a key', async () => {
    await client.onApplicationShutdown();
    use({ APNS_KEY: '', APNS_KEY_ID: '', APNS_TEAM_ID: '' });
    expect(client.missing).toMatch(/APNS_KEY/);
  });
});
