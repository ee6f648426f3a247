/**
 * WebRTC signalling: what the published clients say and hear, at the root of the server, and two browsers that find each
 * other through /signal and talk through our relay alone.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import type { Page } from 'playwright-core';
import { type Account, registerAccount, uniqueName } from '../support/api.js';
import { Browser } from '../support/browser.js';
import { platform } from '../support/platform.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/wait.js';

const root = axios.create({
  baseURL: `http://${platform.host}:${platform.ports.api}`,
  validateStatus: () => true,
  proxy: false,
});
const clients: SocketClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function connect(target: string): Promise<SocketClient> {
  const client = await SocketClient.connect(target);
  clients.push(client);
  return client;
}

describe('a published client', () => {
  it('registers, adds its devices, and signals between them', async () => {
    const login = { email: `${uniqueName()}@mail.test`, password: 'a-long-password-of-theirs' };
    const registered = await root.post('/auth/register', login);
    expect([registered.status, registered.data.token_type.toLowerCase()]).toEqual([201, 'bearer']);
    const { data } = await root.post('/auth/login', login);
    const headers = { authorization: `Bearer ${data.access_token}` };
    const [one, two] = [uniqueName('device'), uniqueName('device')];
    for (const device_id of [one, two]) {
      const answer = await root.post('/devices/register', { device_id, pubkey: 'ed25519-pubkey-here' }, { headers });
      expect([answer.status, answer.data]).toMatchObject([201, { id: device_id, pubkey: 'ed25519-pubkey-here' }]);
    }
    expect((await root.get('/devices/', { headers })).data.map(({ id }: { id: string }) => id)).toEqual([one, two]);
    expect((await root.get('/health')).data).toEqual({ status: 'ok', timestamp: expect.any(String) });

    const [caller, callee] = [
      await connect(`/signal?token=${data.access_token}&device_id=${one}`),
      await connect(`/signal?token=${data.access_token}&device_id=${two}`),
    ];
    expect(await caller.next()).toMatchObject({
      type: 'connected',
      device_id: one,
      message: 'Connected to signaling server',
    });
    await callee.next();
    const offer = { type: 'offer', target_device_id: two, payload: { sdp: 'v=0\r\no=...', type: 'offer' } };
    caller.send(offer);
    expect(await callee.next()).toEqual({ ...offer, sender_device_id: one });
    expect(await caller.next()).toEqual({ type: 'ack', message: `Message delivered to ${two}` });
    caller.send({ ...offer, target_device_id: 'device-nobody' });
    expect(await caller.next()).toMatchObject({ type: 'error', message: 'Target device device-nobody not connected' });

    const again = await connect(`/signal?token=${data.access_token}&device_id=${two}`);
    expect(await callee.end()).toMatchObject({ code: 1008 });
    await again.next();
    caller.send(offer);
    expect(await again.next()).toMatchObject({ sender_device_id: one });
    const stranger = await connect(`/signal?token=nonsense&device_id=${two}`);
    expect(await stranger.end()).toMatchObject({ code: 1008 });
  });

  it('of the new handshake proves its key to register and to connect, and its token is in no log', async () => {
    const { token } = await registerAccount();
    const headers = { authorization: `Bearer ${token}` };
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const pubkey = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url').toString('base64');
    const signed = (text: string): string => sign(null, Buffer.from(text), privateKey).toString('base64');
    const device_id = uniqueName('device');
    const { challenge, context } = (await root.post('/devices/challenge', { device_id }, { headers })).data;
    const proof = { device_id, pubkey, challenge, signature: signed(`${context}:${device_id}:${challenge}`) };
    expect((await root.post('/devices/register', proof, { headers })).status).toBe(201);

    const byFrame = await connect('/signal');
    byFrame.send({ type: 'auth', token, device_id });
    const asked = await byFrame.next();
    expect(asked).toMatchObject({ type: 'challenge', context: 'lem-signaling-connect-v1' });
    byFrame.send({ type: 'auth-response', signature: signed(`${asked.context}:${device_id}:${asked.challenge}`) });
    expect(await byFrame.next()).toMatchObject({
      type: 'connected',
      device_id,
      ice_servers: [{ username: expect.any(String) }],
    });
    byFrame.send({ type: 'offer', target_device_id: 'nobody', payload: {}, id: 'n1' });
    expect(await byFrame.next()).toMatchObject({ reason: 'target-unavailable', retryable: true, id: 'n1' });
    // The token alone opens nothing, and is written nowhere.
    const byQuery = await connect(`/signal?token=${token}&device_id=${device_id}`);
    expect(await byQuery.next()).toMatchObject({ type: 'challenge' });
    const logs = path.join(platform.directory, 'log');
    for (const file of readdirSync(logs)) expect(readFileSync(path.join(logs, file), 'utf8')).not.toContain(token);
  });
});

describe('two browsers', () => {
  let browser: Browser;
  const HERTZ = [523, 880];

  beforeAll(async () => {
    browser = await Browser.start({ script: 'browser-signaling.js' });
  });
  afterAll(() => browser.stop());

  /** A page with a device of the account that is connected to /signal. */
  async function peer({ token, api }: Account, deviceId: string, toneHertz: number): Promise<Page> {
    await api.post('/devices/register', { device_id: deviceId, pubkey: 'none', type: 'web' });
    const page = await browser.page();
    const url = `ws://${platform.host}:${platform.ports.api}/signal`;
    await page.evaluate(
      (options) => {
        window.peer = new window.SignalingPeer(options);
        return window.peer.connect();
      },
      { url, token, deviceId, toneHertz },
    );
    return page;
  }

  it('of two accounts that are contacts exchange texts and hear each other, through our relay alone', async () => {
    const [alice, bob] = [await registerAccount(), await registerAccount()];
    await alice.api.put(`/contacts/${bob.jid}`);
    expect((await bob.api.put(`/contacts/${alice.jid}`)).data.state).toBe('mutual');
    const [mine, theirs] = [uniqueName('web'), uniqueName('web')];
    const pages = [await peer(alice, mine, HERTZ[0]!), await peer(bob, theirs, HERTZ[1]!)];
    const [caller, callee] = pages as [Page, Page];
    await caller.evaluate((target) => window.peer.call(target), theirs);
    for (const [page, text] of [
      [caller, 'from the caller'],
      [callee, 'from the callee'],
    ] as const) {
      await until('the data channel is open', () => page.evaluate((said) => window.peer.say(said), text));
    }
    await until('the callee has the text', async () =>
      (await callee.evaluate(() => window.peer.heard())).includes('from the caller'),
    );
    await until('the caller has the text', async () =>
      (await caller.evaluate(() => window.peer.heard())).includes('from the callee'),
    );
    for (const [page, hertz] of [
      [caller, HERTZ[1]!],
      [callee, HERTZ[0]!],
    ] as const) {
      await until(`it hears ${hertz} Hz`, async () => {
        const heard = await page.evaluate(() => window.peer.loudestHertz());
        return Math.abs(heard - hertz) < 10;
      });
      expect(await page.evaluate(() => window.peer.report())).toMatchObject({
        candidate: 'relay',
        remoteCandidate: 'relay',
      });
    }
    await Promise.all(pages.map((page) => page.context().close()));
  });
});
