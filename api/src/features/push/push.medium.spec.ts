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
    expect((await register(device())).body).toEqual({ status: 'registered' });
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

  it('registers nothing for another', async () => {
    const other = await app.register('other');
    expect((await register(device({ jid: other.jid }))).body.code).toBe('forbidden');
    expect((await deregister({ jid: other.jid, device_id: 'phone-1' })).body.code).toBe('forbidden');
  });

  it('names an unknown platform', async () => {
    const answer = await register(device({ platform: 'windows' }));
    expect([answer.status, answer.body.errors]).toEqual([
      422,
      [{ field: 'platform', detail: 'must be one of ios, android' }],
    ]);
  });
});
