import { createECDH } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';

describe('push registrations', () => {
  let app: TestApp;
  let account: Awaited<ReturnType<TestApp['register']>>;
  beforeAll(async () => {
    app = await TestApp.start();
    account = await app.register();
  });
  afterAll(() => app.stop());

  const device = (changes: object = {}) => ({
    jid: account.jid,
    device_id: 'phone-1',
    platform: 'ios',
    push_token: 'a1b2c3',
    app_id: 'com.example.app',
    ...changes,
  });
  const register = (body: object) => app.http.post('/api/v1/push/register').set(account.bearer).send(body);
  const deregister = (body: object) => app.http.delete('/api/v1/push/register').set(account.bearer).send(body);
  const rows = () => app.database.sql`
    SELECT device_uuid, platform, push_token FROM push_registrations WHERE jid = ${account.jid} ORDER BY device_uuid`;

  it('keeps one token for each device, the newest', async () => {
    const answer = (await register(device())).body;
    expect(answer).toEqual({
      status: 'registered',
      xmpp_push: { jid: 'push.veil.test', node: expect.any(String), secret: expect.any(String) },
    });
    expect((await register(device())).body).toEqual(answer);
    expect((await register(device({ device_id: 'phone-2', platform: 'android' }))).status).toBe(200);
    expect((await register(device({ push_token: 'fresh' }))).status).toBe(200);
    expect(await rows()).toEqual([
      { device_uuid: 'phone-1', platform: 'ios', push_token: 'fresh' },
      { device_uuid: 'phone-2', platform: 'android', push_token: 'a1b2c3' },
    ]);
  });

  it('forgets a device once', async () => {
    await register(device({ device_id: 'old' }));
    const body = { jid: account.jid, device_id: 'old' };
    expect((await deregister(body)).body).toEqual({ status: 'deregistered' });
    expect((await deregister(body)).body.code).toBe('not_found');
  });

  it('gives a device that comes again another node', async () => {
    const node = async () => (await register(device({ device_id: 'again' }))).body.xmpp_push.node;
    const first = await node();
    await deregister({ jid: account.jid, device_id: 'again' });
    expect(await node()).not.toBe(first);
  });

  it('gives one node to all who register a device at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => register(device({ device_id: 'busy' }))));
    expect(new Set(answers.map(({ body }) => body.xmpp_push.node)).size).toBe(1);
  });

  it('registers nothing for another', async () => {
    const other = await app.register('other');
    expect((await register(device({ jid: other.jid }))).body.code).toBe('forbidden');
    expect((await deregister({ jid: other.jid, device_id: 'phone-1' })).body.code).toBe('forbidden');
  });

  it('names an unknown platform', async () => {
    const answer = await register(device({ platform: 'windows' }));
    expect([answer.status, answer.body.errors]).toEqual([
      422,
      [{ field: 'platform', detail: 'must be one of ios, android, web' }],
    ]);
  });

  const keys = { p256dh: createECDH('prime256v1').generateKeys('base64url'), auth: 'AAECAwQFBgcICQoLDA0ODw' };
  const browser = (changes: object = {}) =>
    device({ device_id: 'browser', platform: 'web', push_token: 'https://push.example.com/a/b', ...keys, ...changes });

  it('keeps what a platform needs besides the token', async () => {
    await register(device({ device_id: 'ios', alert_token: 'd4e5', environment: 'sandbox' }));
    expect((await register(browser())).status).toBe(200);
    expect(
      await app.database.sql`
        SELECT device_uuid, alert_token, environment, p256dh, auth FROM push_registrations
        WHERE jid = ${account.jid} AND device_uuid IN ('ios', 'browser') ORDER BY device_uuid`,
    ).toEqual([
      { device_uuid: 'browser', alert_token: null, environment: 'production', ...keys },
      { device_uuid: 'ios', alert_token: 'd4e5', environment: 'sandbox', p256dh: null, auth: null },
    ]);
    await register(device({ device_id: 'ios' }));
    expect(
      await app.database.sql`SELECT alert_token, environment FROM push_registrations WHERE device_uuid = 'ios'`,
    ).toEqual([{ alert_token: null, environment: 'production' }]);
  });

  it.each([
    ['http', { push_token: 'http://push.example.com/a' }, 'push_token'],
    ['no URL', { push_token: 'push' }, 'push_token'],
    ['a password in it', { push_token: 'https://a:b@push.example.com/' }, 'push_token'],
    ['an endless endpoint', { push_token: `https://push.example.com/${'x'.repeat(2048)}` }, 'push_token'],
    ['no key', { p256dh: undefined }, 'p256dh'],
    ['a point off the curve', { p256dh: Buffer.alloc(65, 4).toString('base64url') }, 'p256dh'],
    ['half an auth', { auth: 'AAECAwQFBgc' }, 'auth'],
    ['another alphabet', { auth: 'AAECAwQFBgcICQoLDA0OD$' }, 'auth'],
    ['an alert token', { alert_token: 'abc' }, 'alert_token'],
  ])('refuses a browser with %s', async (_, changes, field) => {
    const { status, body } = await register(browser(changes));
    expect([status, body.errors.map((fault: { field: string }) => fault.field)]).toEqual([422, [field]]);
  });

  it('refuses fields of another platform', async () => {
    const { body } = await register(device({ platform: 'android', environment: 'sandbox', alert_token: 'a', ...keys }));
    expect(body.errors.map(({ field }: { field: string }) => field)).toEqual([
      ...['alert_token', 'environment', 'p256dh', 'auth'],
    ]);
  });

  it('has fifty devices for an account at most, however they come', async () => {
    const crowd = await app.register('crowd');
    const add = (id: number) =>
      app.http
        .post('/api/v1/push/register')
        .set(crowd.bearer)
        .send(device({ jid: crowd.jid, device_id: `device-${id}` }));
    const answers = await Promise.all(Array.from({ length: 60 }, (_, id) => add(id)));
    const refused = answers.filter(({ status }) => status === 409);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(refused.map(({ body }) => body.code)).toEqual(Array(10).fill('too_many_devices'));
    const kept = answers.findIndex(({ status }) => status === 200);
    expect((await add(kept)).status).toBe(200);
  });

  it('says that nothing is set up', async () => {
    await register(device({ device_id: 'idle' }));
    const body = { device_id: 'idle', kind: 'call' };
    const answer = await app.http.post('/api/v1/push/test').set(account.bearer).send(body);
    expect(answer.body).toMatchObject({ result: 'not_configured', detail: expect.stringContaining('APNS_KEY') });
  });
});
