import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Clock } from '../../common/clock.js';
import { testConfig } from '../../testing/config.js';
import { Certificate } from '../../testing/push/certificate.js';
import { FakeWebPush } from '../../testing/push/fake-webpush.js';
import type { PushMessage, PushTarget } from '../push/push-client.js';
import { WebPushClient } from './webpush.client.js';

const WITHIN_MS = 5000;

describe('Web Push', () => {
  let fake: FakeWebPush;
  let environment: NodeJS.ProcessEnv;
  let client: WebPushClient;
  let target: PushTarget;
  const clock = new Clock();
  beforeAll(async () => {
    fake = await FakeWebPush.start();
    environment = fake.environment;
  });
  beforeEach(() => {
    use({});
    target = targetAt(fake.origin);
  });
  afterEach(() => {
    client.onApplicationShutdown();
    fake.forget();
  });
  afterAll(() => fake.stop());

  const use = (settings: NodeJS.ProcessEnv): void => {
    client = new WebPushClient(clock, testConfig({ ...environment, ...settings }));
  };
  const targetAt = (origin: string): PushTarget => {
    const { push_token, p256dh, auth } = fake.subscribe(origin);
    return { token: push_token, keys: { p256dh, auth }, alertToken: null, appId: 'web', environment: 'production' };
  };
  const deliver = (changes: Partial<PushMessage> = {}, to: Partial<PushTarget> = {}, withinMs = WITHIN_MS) => {
    const expiresAt = new Date(clock.milliseconds() + 30_500);
    const usual = { data: { type: 'call', call_id: 'c@1' }, rings: true, shown: null, urgent: true, topic: null };
    return client.deliver({ ...target, ...to }, { ...usual, expiresAt, ...changes }, withinMs);
  };

  it('is encrypted for the device and signed by this server', async () => {
    expect(await deliver()).toEqual({ result: 'accepted', detail: 'the web push service answered 201' });
    await deliver({ urgent: false, topic: 'message' });
    expect(fake.messages).toEqual([
      { id: expect.any(String), ttl: 30, urgency: 'high', topic: null, data: { type: 'call', call_id: 'c@1' } },
      expect.objectContaining({ urgency: 'low', topic: 'message' }),
    ]);
  });

  it.each([404, 410])('knows a dead subscription by %i', async (status) => {
    fake.script.once({ status });
    expect(await deliver()).toMatchObject({ result: 'unregistered', which: 'token', at: null });
  });

  it.each([
    [400, /VAPID_SUBJECT/],
    [403, /VAPID_PRIVATE_KEY/],
    [413, /bytes/],
    [301, /301$/],
  ])('says what to do about %i', async (status, detail) => {
    fake.script.once({ status, headers: { location: 'https://127.0.0.1:1/' } });
    expect(await deliver()).toEqual({ result: 'rejected', detail: expect.stringMatching(detail) });
    expect(fake.requests).toBe(1);
  });

  it('is refused when it is signed by another server', async () => {
    client.onApplicationShutdown();
    use({ VAPID_PRIVATE_KEY: '1a'.repeat(32) });
    expect(await deliver()).toMatchObject({ result: 'rejected', detail: expect.stringContaining('VAPID_PRIVATE_KEY') });
    expect(fake.messages).toEqual([]);
  });

  it.each([
    [429, { 'retry-after': '3' }, 3000],
    [503, { 'retry-after': 'soon' }, null],
    [500, {}, null],
  ])('asks for another attempt after %i', async (status, headers, afterMs) => {
    fake.script.once({ status, headers });
    expect(await deliver()).toMatchObject({ result: 'retry', afterMs });
    expect(fake.requests).toBe(1);
    expect(await deliver()).toMatchObject({ result: 'accepted' });
  });

  it('survives cuts and silence', async () => {
    fake.script.once('reset', 'silence');
    expect(await deliver()).toMatchObject({ result: 'retry', detail: expect.stringContaining('could not be reached') });
    expect(await deliver({}, {}, 150)).toMatchObject({ result: 'retry', detail: expect.stringContaining('in time') });
    expect(await deliver()).toMatchObject({ result: 'accepted' });
  });

  it('reads no endless answer', async () => {
    fake.script.once({ status: 201, body: 'x'.repeat(100_000) });
    expect(await deliver()).toMatchObject({ result: 'retry' });
  });

  it('trusts no certificate but that of its authority', async () => {
    const stranger = new Certificate();
    await fake.down();
    await fake.up(stranger);
    const delivery = await deliver();
    await fake.down();
    await fake.up();
    stranger.release();
    expect(delivery).toMatchObject({ result: 'failed', detail: expect.stringMatching(/not trusted.*WEBPUSH_CA_FILE/) });
  });

  describe('where private addresses are not allowed', () => {
    beforeEach(() => use({ WEBPUSH_PRIVATE_NETWORKS: '' }));

    it.each(['https://localhost', 'https://127.0.0.1', 'https://[::1]', 'https://2130706433', 'https://0x7f.1'])(
      'goes nowhere for %s',
      async (origin) => {
        const port = new URL(fake.origin).port;
        const delivery = await deliver({}, { token: `${origin}:${port}/push/x` });
        expect(delivery).toEqual({ result: 'rejected', detail: expect.stringContaining('no public address') });
        expect(fake.requests).toBe(0);
      },
    );
  });

  it('goes to an address of a network that is allowed', async () => {
    const port = new URL(fake.origin).port;
    const { token, keys } = targetAt(`https://127.0.0.1:${port}`);
    // The audience is another than the fake's own name: what counts is that it came.
    await deliver({}, { token, keys });
    expect(fake.requests).toBe(1);
  });

  it.each(['http://localhost/push/x', 'ftp://localhost/', 'localhost'])('speaks HTTPS only, not %s', async (token) => {
    expect(await deliver({}, { token })).toMatchObject({
      result: 'rejected',
      detail: expect.stringContaining('no HTTPS'),
    });
  });

  it('sends nothing without good keys, and nothing that is too long', async () => {
    expect(await deliver({}, { keys: null })).toMatchObject({ result: 'rejected' });
    const keys = { p256dh: Buffer.alloc(65, 4).toString('base64url'), auth: 'AAAAAAAAAAAAAAAAAAAAAA' };
    expect(await deliver({}, { keys })).toMatchObject({ result: 'rejected', detail: expect.stringContaining('keys') });
    expect(await deliver({ data: { type: 'x'.repeat(4000) } })).toMatchObject({ result: 'rejected' });
    expect(await deliver({ data: { type: 'x'.repeat(3900) } })).toMatchObject({ result: 'accepted' });
    expect(fake.requests).toBe(1);
  });

  it('is not set up without a key', () => {
    use({ VAPID_PRIVATE_KEY: '' });
    expect(client.missing).toMatch(/VAPID_PRIVATE_KEY/);
  });
});
