/**
 * Waking a device: it is registered by REST, and its provider gets what it takes, from a process of the real API.
 */

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { FakeApns } from '@veil/api/dist/testing/push/fake-apns.js';
import { FakeFcm } from '@veil/api/dist/testing/push/fake-fcm.js';
import { FakeWebPush } from '@veil/api/dist/testing/push/fake-webpush.js';
import type { AxiosInstance } from 'axios';
import { type Account, apiClient, registerAccount } from '../support/api.js';
import { OwnApi } from '../support/own-api.js';

let apns: FakeApns;
let fcm: FakeFcm;
let web: FakeWebPush;
let own: OwnApi;
let account: Account;
let api: AxiosInstance;

beforeAll(async () => {
  [apns, fcm, web] = await Promise.all([FakeApns.start(), FakeFcm.start(), FakeWebPush.start()]);
  own = await OwnApi.start({ ...apns.environment, ...fcm.environment, ...web.environment });
  account = await registerAccount('push');
  api = own.client(account.token);
  await register({ device_id: 'iphone', platform: 'ios', push_token: 'a1'.repeat(32), alert_token: 'b2'.repeat(32) });
  await register({ device_id: 'android', platform: 'android', push_token: 'token-of-fcm' });
  await register({ device_id: 'browser', ...web.subscribe() });
});

afterAll(async () => {
  await own?.stop();
  await Promise.all([apns, fcm, web].map((fake) => fake?.stop()));
});

async function register(device: object): Promise<void> {
  const answer = await api.post('/push/register', { jid: account.jid, app_id: 'com.example.veil', ...device });
  expect([answer.status, answer.data.status]).toEqual([200, 'registered']);
}

const test = async (device_id: string, kind: string, client = api) =>
  (await client.post('/push/test', { device_id, kind })).data;

it('rings each of the own devices', async () => {
  const call = { type: 'call', call_id: expect.stringMatching(/^test-/), call_type: 'audio' };
  expect(await test('iphone', 'call')).toMatchObject({ result: 'accepted', provider: 'apns' });
  expect(apns.accepted).toMatchObject([{ pushType: 'voip', topic: 'com.example.veil.voip', payload: call }]);
  expect(await test('android', 'call')).toMatchObject({ result: 'accepted', provider: 'fcm' });
  expect(fcm.messages).toMatchObject([{ token: 'token-of-fcm', data: call, android: { priority: 'high' } }]);
  expect(await test('browser', 'call')).toMatchObject({
    result: 'accepted',
    detail: 'the web push service answered 201',
  });
  expect(web.messages).toMatchObject([{ data: call, urgency: 'high' }]);
});

it('notifies without ringing', async () => {
  expect(await test('iphone', 'message')).toMatchObject({ result: 'accepted' });
  expect(apns.accepted.at(-1)).toMatchObject({ pushType: 'alert', token: 'b2'.repeat(32), payload: { type: 'test' } });
});

it('goes on when a provider was away, and forgets what it calls dead', async () => {
  apns.script.once('reset', { status: 503 });
  expect(await test('iphone', 'call')).toMatchObject({ result: 'accepted' });
  web.script.once({ status: 410 });
  expect(await test('browser', 'message')).toMatchObject({ result: 'unregistered' });
  expect(await test('browser', 'message')).toMatchObject({ code: 'not_found' });
});

it('tells clients what is set up, and what is not', async () => {
  const [configured, platform] = await Promise.all([own.client().get('/server/info'), apiClient().get('/server/info')]);
  expect(configured.data.push_providers).toEqual(['apns', 'fcm', 'webpush']);
  // The platform has the key that up.sh makes, and nobody's credentials.
  expect(platform.data).toMatchObject({
    push_providers: ['webpush'],
    vapid_public_key: expect.stringMatching(/^B.{86}$/),
  });
  expect(await test('android', 'call', account.api)).toMatchObject({ result: 'not_configured', provider: 'fcm' });
});

it('keeps tokens and keys out of the log', () => {
  for (const secret of ['token-of-fcm', 'a1a1a1', 'PRIVATE KEY', web.origin]) expect(own.log).not.toContain(secret);
});
