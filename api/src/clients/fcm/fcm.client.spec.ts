import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Clock } from '../../common/clock.js';
import { testConfig } from '../../testing/config.js';
import { Certificate } from '../../testing/push/certificate.js';
import { FakeFcm, fcmError } from '../../testing/push/fake-fcm.js';
import type { PushMessage } from '../push/push-client.js';
import { FcmClient } from './fcm.client.js';

const WITHIN_MS = 5000;

describe('FCM', () => {
  let fake: FakeFcm;
  let client: FcmClient;
  const clock = new Clock();
  beforeAll(async () => {
    fake = await FakeFcm.start();
  });
  beforeEach(() => use({}));
  afterEach(async () => {
    await client.onApplicationShutdown();
    fake.forget();
  });
  afterAll(() => fake.stop());

  const use = (settings: NodeJS.ProcessEnv): void => {
    client = new FcmClient(clock, testConfig({ ...fake.environment, ...settings }));
  };
  const target = {
    token: 'token:of-a_phone',
    alertToken: null,
    appId: 'com.example.veil',
    environment: 'production' as const,
    keys: null,
  };
  const deliver = (changes: Partial<PushMessage> = {}, withinMs = WITHIN_MS) => {
    const expiresAt = new Date(clock.milliseconds() + 30_990);
    const usual = { data: { type: 'call', call_id: 'c@1' }, rings: true, shown: null, urgent: true, topic: null };
    return client.deliver(target, { ...usual, expiresAt, ...changes }, withinMs);
  };

  it('sends data alone, at once, for as long as the call rings', async () => {
    expect(await deliver()).toEqual({ result: 'accepted', detail: 'FCM took it' });
    expect(fake.messages).toEqual([
      { token: target.token, data: { type: 'call', call_id: 'c@1' }, android: { priority: 'high', ttl: '30s' } },
    ]);
    await deliver({ rings: false, urgent: false, shown: 'New message', topic: 'message' });
    expect(fake.messages[1]?.android).toMatchObject({ priority: 'normal', collapse_key: 'message' });
  });

  it('asks for an access token once, and for another when it is refused', async () => {
    const before = fake.fetches;
    await Promise.all(Array.from({ length: 20 }, () => deliver()));
    expect(fake.fetches - before).toBe(1);
  });

  it.each([[404, 'NOT_FOUND', 'UNREGISTERED']])('knows a dead token by %i %s %s', async (...error) => {
    fake.script.once(fcmError(...error));
    const detail = expect.stringContaining('FCM answered 404 UNREGISTERED: ');
    expect(await deliver()).toEqual({ result: 'unregistered', which: 'token', at: null, detail });
  });

  it.each([
    [404, 'NOT_FOUND', undefined, /404 NOT_FOUND/],
    [403, 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH', /another Firebase project/],
    [403, 'PERMISSION_DENIED', undefined, /may not use FCM/],
    [400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', /no token of FCM/],
  ])('says what to do about %i %s %s', async (status, code, errorCode, detail) => {
    fake.script.once(fcmError(status, code, errorCode));
    expect(await deliver()).toEqual({ result: 'rejected', detail: expect.stringMatching(detail) });
  });

  it.each([
    [429, 'RESOURCE_EXHAUSTED', { 'retry-after': '7' }, 7000],
    [503, 'UNAVAILABLE', { 'retry-after': '30' }, 30_000],
    [503, 'UNAVAILABLE', {}, null],
    [500, 'INTERNAL', {}, null],
  ])('asks for another attempt after %i %s, and made one itself', async (status, code, headers, afterMs) => {
    const answer = fcmError(status, code);
    fake.script.from(typeof answer === 'string' ? answer : { ...answer, headers });
    const startedAt = performance.now();
    expect(await deliver()).toEqual({ result: 'retry', detail: expect.stringContaining(`${status}`), afterMs });
    expect(performance.now() - startedAt).toBeLessThan(WITHIN_MS / 2);
    expect(fake.sends).toBe(1);
    fake.script.clear();
    expect(await deliver()).toMatchObject({ result: 'accepted' });
  });

  it('makes nothing of an answer that is none', async () => {
    fake.script.once({ status: 502, body: '<html>' }, { status: 404, body: 'nothing here' });
    expect(await deliver()).toMatchObject({ result: 'retry', detail: 'FCM answered 502' });
    expect(await deliver()).toMatchObject({ result: 'rejected', detail: 'FCM answered 404' });
  });

  it('survives a connection that is cut', async () => {
    fake.script.once('reset');
    expect(await deliver()).toMatchObject({ result: 'retry', detail: expect.stringContaining('could not be reached') });
    expect(fake.sends).toBe(1);
    expect(await deliver()).toMatchObject({ result: 'accepted' });
  });

  it('waits no longer than it may, and sends nothing afterwards', async () => {
    await deliver();
    fake.script.once('silence');
    expect(await deliver({}, 150)).toEqual({ result: 'retry', detail: 'FCM did not answer in time', afterMs: null });
    expect(await deliver()).toMatchObject({ result: 'accepted' });
    expect(fake.sends).toBe(3);
  });

  it('says so when FCM is away', async () => {
    await fake.down();
    expect(await deliver()).toMatchObject({
      result: 'retry',
      detail: expect.stringMatching(/ECONNREFUSED.*FCM_TOKEN_URL/),
    });
    await fake.up();
    expect(await deliver()).toMatchObject({ result: 'accepted' });
    await fake.down();
    expect(await deliver()).toMatchObject({ result: 'retry', detail: expect.stringMatching(/FCM_URL/) });
    await fake.up();
  });

  it('trusts no certificate but that of its authority', async () => {
    const stranger = new Certificate();
    await deliver();
    await fake.down();
    await fake.up(stranger);
    // The connection that was open was cut.
    await deliver();
    const known = await deliver();
    await client.onApplicationShutdown();
    use({});
    const unknown = await deliver();
    await fake.down();
    await fake.up();
    stranger.release();
    const untrusted = { result: 'failed', detail: expect.stringMatching(/not trusted.*FCM_CA_FILE/) };
    expect([known, unknown]).toMatchObject([untrusted, untrusted]);
  });

  it('gets a new access token for one that was revoked', async () => {
    await deliver();
    fake.revoke();
    expect(await deliver()).toMatchObject({ result: 'retry', detail: expect.stringContaining('401') });
    expect(await deliver()).toMatchObject({ result: 'accepted' });
  });

  it('says so when the token server refuses or fails', async () => {
    fake.tokenScript.once(
      { status: 400, body: { error: 'invalid_grant' } },
      { status: 503, headers: { 'retry-after': '2' } },
    );
    expect(await deliver()).toEqual({
      result: 'rejected',
      detail: expect.stringMatching(/answered 400 invalid_grant: .*FCM_SERVICE_ACCOUNT/),
    });
    expect(await deliver()).toMatchObject({ result: 'retry', afterMs: 2000 });
    fake.tokenScript.once('silence');
    expect(await deliver({}, 150)).toMatchObject({ result: 'retry' });
    fake.tokenScript.once('reset');
  });

  it('is refused with the key of another account', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const account = JSON.parse(fake.environment.FCM_SERVICE_ACCOUNT ?? '') as object;
    const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    use({ FCM_SERVICE_ACCOUNT: JSON.stringify({ ...account, private_key }) });
    expect(await deliver()).toMatchObject({ result: 'rejected', detail: expect.stringContaining('invalid_grant') });
  });

  it('sends nothing that is too long', async () => {
    expect(await deliver({ data: { type: 'x'.repeat(5000) } })).toMatchObject({ result: 'rejected' });
    expect(fake.sends).toBe(0);
  });

  it('is not set up without a service account', () => {
    use({ FCM_SERVICE_ACCOUNT: '' });
    expect(client.missing).toMatch(/FCM_SERVICE_ACCOUNT/);
  });
});
