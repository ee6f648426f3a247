import { createECDH } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { InternalListener } from '../../http/internal-listener.js';
import { TestApp } from '../../testing/app.js';

describe('push parameters of a SIP contact', () => {
  let app: TestApp;
  let base: string;
  let account: Awaited<ReturnType<TestApp['register']>>;
  beforeAll(async () => {
    app = await TestApp.start();
    const port = await app.app.get(InternalListener).listen(0, '127.0.0.1');
    base = `http://127.0.0.1:${port}/api/v1/push/sip-registrations`;
  });
  afterAll(() => app.stop());
  beforeEach(async () => {
    account = await app.register('alice');
  });

  const SECRET = 'internal-0123456789abcdefghijklmnopqrst';
  const INSTANCE = '<urn:uuid:0a1b2c3d-0000-4000-8000-000000000001>';
  const tell = async (changes: object = {}, secret = SECRET) => {
    const contact = { provider: 'apns', param: 'TEAM1.com.example.app.voip', prid: 'a1b2', instance: INSTANCE };
    const answer = await fetch(base, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify({ action: 'register', username: account.username, ...contact, ...changes }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const rows = () => app.database.sql`
    SELECT device_uuid, platform, push_token, app_id, environment, alert_token, p256dh, auth
    FROM push_registrations WHERE jid = ${account.jid} ORDER BY device_uuid`;
  const iPhone = {
    device_uuid: '0a1b2c3d-0000-4000-8000-000000000001',
    ...{ platform: 'ios', push_token: 'a1b2', app_id: 'com.example.app', environment: 'production' },
    ...{ alert_token: null, p256dh: null, auth: null },
  };

  it('register a device and forget it, however often they come', async () => {
    for (const username of [account.username, account.username.toUpperCase()]) {
      expect(await tell({ username })).toEqual({ status: 202, body: { status: 'registered' } });
      expect(await rows()).toEqual([iPhone]);
    }
    for (const _ of [1, 2]) expect((await tell({ action: 'deregister' })).body).toEqual({ status: 'deregistered' });
    expect(await rows()).toEqual([]);
  });

  it.each([
    ['apns.dev', 'TEAM1.com.example.app', { app_id: 'com.example.app', environment: 'sandbox' }],
    ['fcm', 'project%2D1', { platform: 'android', app_id: 'project-1' }],
  ])('are read as %s means them', async (provider, param, expected) => {
    await tell({ provider, param });
    expect(await rows()).toEqual([{ ...iPhone, ...expected }]);
  });

  it('hold the keys of a browser', async () => {
    const p256dh = createECDH('prime256v1').generateKeys('base64url');
    const auth = 'AAECAwQFBgcICQoLDA0ODw';
    await tell({ provider: 'webpush', param: `${p256dh}.${auth}`, prid: 'https:%2F%2Fpush.example.com%2Fa' });
    expect(await rows()).toMatchObject([{ platform: 'web', push_token: 'https://push.example.com/a', p256dh, auth }]);
  });

  it('name a device without an instance by themselves', async () => {
    for (const prid of ['one', 'one', 'two']) await tell({ instance: undefined, prid });
    expect((await rows()).map(({ push_token }) => push_token).sort()).toEqual(['one', 'two']);
    await tell({ instance: undefined, prid: 'one', action: 'deregister' });
    expect((await rows()).map(({ push_token }) => push_token)).toEqual(['two']);
  });

  it('leave the alert token of the same app', async () => {
    const device = { jid: account.jid, device_id: iPhone.device_uuid, platform: 'ios', app_id: iPhone.app_id };
    const tokens = { push_token: 'old', alert_token: 'd4e5' };
    await app.http
      .post('/api/v1/push/register')
      .set(account.bearer)
      .send({ ...device, ...tokens });
    await tell();
    expect(await rows()).toEqual([{ ...iPhone, alert_token: 'd4e5' }]);
    await tell({ provider: 'apns.dev' });
    expect(await rows()).toEqual([{ ...iPhone, environment: 'sandbox' }]);
  });

  it('end with the session that has the device, and with all others', async () => {
    await tell();
    await tell({ instance: undefined });
    await app.http.delete('/api/v1/account/sessions').set(account.bearer);
    expect(await rows()).toEqual([]);
  });

  it('of nobody are ignored', async () => {
    expect((await tell({ username: 'nobody-at-all' })).body).toEqual({ status: 'ignored' });
    await app.database.sql`UPDATE accounts SET status = 'deleting' WHERE username = ${account.username}`;
    expect((await tell()).body).toEqual({ status: 'ignored' });
    expect(await rows()).toEqual([]);
  });

  it.each([
    ['an unknown provider', { provider: 'pigeon' }, 'provider'],
    ['half an escape', { prid: 'a%2' }, 'prid'],
    ['a NUL', { prid: 'a%00b' }, 'prid'],
    ['no token', { prid: undefined }, 'prid'],
    ['an endless token', { prid: 'x'.repeat(4097) }, 'prid'],
    ['no bundle', { param: 'TEAM1.' }, 'param'],
    ['no UUID', { instance: '<>' }, 'instance'],
    ['a browser without keys', { provider: 'webpush', param: 'x', prid: 'https:%2F%2Fa.example' }, 'p256dh'],
  ])('with %s are refused', async (_, changes, field) => {
    const { status, body } = await tell(changes);
    expect(status).toBe(422);
    expect((body.errors as { field: string }[]).map((fault) => fault.field)).toContain(field);
    expect(await rows()).toEqual([]);
  });

  it('are taken from the SIP server only, and for fifty devices', async () => {
    expect((await tell({}, 'wrong')).status).toBe(401);
    for (let id = 0; id < 50; id += 1) await tell({ instance: `<urn:uuid:${id}>` });
    expect(await tell()).toMatchObject({ status: 409, body: { code: 'too_many_devices' } });
  });
});
