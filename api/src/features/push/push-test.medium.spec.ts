import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { FakeApns } from '../../testing/push/fake-apns.js';

describe('a test push', () => {
  let app: TestApp;
  let apns: FakeApns;
  let account: Awaited<ReturnType<TestApp['register']>>;
  beforeAll(async () => {
    apns = await FakeApns.start();
    app = await TestApp.start(apns.environment);
    account = await app.register();
    await register({ device_id: 'iphone', platform: 'ios', push_token: 'a1'.repeat(32), alert_token: 'b2'.repeat(32) });
    await register({ device_id: 'android', platform: 'android', push_token: 'token' });
  });
  afterEach(() => apns.forget());
  afterAll(async () => {
    await app.stop();
    await apns.stop();
  });

  const register = (device: object) => {
    const body = { jid: account.jid, app_id: 'com.example.veil', ...device };
    return app.http.post('/api/v1/push/register').set(account.bearer).send(body).expect(200);
  };
  const test = (body: object, { bearer } = account) => app.http.post('/api/v1/push/test').set(bearer).send(body);

  it('rings a device, and says that the provider has taken it', async () => {
    const answer = await test({ device_id: 'iphone', kind: 'call' });
    const took_ms = expect.any(Number);
    expect([answer.status, answer.body]).toEqual([
      200,
      { result: 'accepted', provider: 'apns', detail: 'APNs took it', took_ms },
    ]);
    const call = { type: 'call', call_id: expect.stringMatching(/^test-/), call_type: 'audio' };
    expect(apns.accepted).toMatchObject([{ pushType: 'voip', topic: 'com.example.veil.voip', payload: call }]);
    // PUSH_SHOW_CALLER is off: nobody on the way learns who it is.
    expect(Object.keys(apns.accepted[0]?.payload ?? {}).sort()).toEqual(['call_id', 'call_type', 'expires_at', 'type']);
  });

  it('shows a notification', async () => {
    expect((await test({ device_id: 'iphone', kind: 'message' })).body).toMatchObject({ result: 'accepted' });
    expect(apns.accepted).toMatchObject([{ pushType: 'alert', token: 'b2'.repeat(32), payload: { type: 'test' } }]);
  });

  it('says which setting is missing', async () => {
    expect((await test({ device_id: 'android', kind: 'call' })).body).toMatchObject({
      result: 'not_configured',
      provider: 'fcm',
      detail: 'the operator has set no FCM_SERVICE_ACCOUNT',
    });
  });

  it('says what is wrong with a device', async () => {
    await register({ device_id: 'from-xcode', platform: 'ios', push_token: 'c3'.repeat(32) });
    apns.script.once({ status: 400, body: { reason: 'BadDeviceToken' } });
    const { body } = await test({ device_id: 'from-xcode', kind: 'call' });
    expect(body).toMatchObject({ result: 'unregistered', detail: expect.stringContaining('"sandbox"') });
    expect((await test({ device_id: 'from-xcode', kind: 'call' })).body.code).toBe('not_found');
  });

  it('reaches nobody else', async () => {
    const stranger = await app.register();
    expect((await test({ device_id: 'iphone', kind: 'call' }, stranger)).body.code).toBe('not_found');
    expect((await test({ device_id: 'nowhere', kind: 'call' })).status).toBe(404);
    expect((await test({ device_id: 'iphone', kind: 'fax' })).body.errors).toMatchObject([{ field: 'kind' }]);
    expect((await app.http.post('/api/v1/push/test').send({ device_id: 'iphone', kind: 'call' })).status).toBe(401);
    expect(apns.requests).toEqual([]);
  });
});
