import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DeviceDirectory } from '../../realtime/device-directory.js';
import { TestApp } from '../../testing/app.js';
import { SocketClient } from '../../testing/socket-client.js';

type Account = Awaited<ReturnType<TestApp['register']>>;

let app: TestApp;
let base: string;
let alice: Account;
let bob: Account;
const clients: SocketClient[] = [];

beforeAll(async () => {
  app = await TestApp.start();
  await app.app.listen(0, '127.0.0.1');
  base = `ws://127.0.0.1:${(app.app.getHttpServer().address() as AddressInfo).port}/signal`;
  [alice, bob] = await Promise.all([app.register('alice'), app.register('bob')]);
  for (const id of ['a1', 'a2']) await register(alice, id);
  await register(bob, 'b1');
});
afterAll(() => app.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function register(account: Account, device_id: string): Promise<void> {
  await app.http.post('/devices/register').set(account.bearer).send({ device_id, pubkey: 'key' });
}

async function open(url: string): Promise<SocketClient> {
  const client = await SocketClient.connect(url);
  clients.push(client);
  return client;
}

/** As the published clients connect. */
async function connect(account: Account, device: string): Promise<SocketClient> {
  const client = await open(`${base}?token=${account.token}&device_id=${device}`);
  expect(await client.next()).toMatchObject({ type: 'connected', device_id: device });
  return client;
}

const offer = (target: string, more: object = {}) => ({
  type: 'offer',
  target_device_id: target,
  payload: { sdp: 'v=0', type: 'offer' },
  ...more,
});
const unavailable = (target: string) => ({
  type: 'error',
  message: `Target device ${target} not connected`,
  reason: 'target-unavailable',
  retryable: true,
});

describe('between devices of one account', () => {
  it('greets with servers for ICE, and forwards what it gets, with its sender', async () => {
    const one = await open(`${base}?token=${alice.token}&device_id=a1`);
    expect(await one.next()).toEqual({
      type: 'connected',
      device_id: 'a1',
      message: 'Connected to signaling server',
      ice_servers: [
        { urls: expect.any(Array), username: expect.stringMatching(/^\d+:/), credential: expect.any(String) },
      ],
    });
    const two = await connect(alice, 'a2');
    one.send(offer('a2', { sender_device_id: 'forged', extra: [1] }));
    expect(await two.next()).toEqual(offer('a2', { sender_device_id: 'a1', extra: [1] }));
    expect(await one.next()).toEqual({ type: 'ack', message: 'Message delivered to a2' });
    two.send({ type: 'ice-candidate', target_device_id: 'a1', payload: {}, id: 7 });
    expect(await one.next()).toMatchObject({ type: 'ice-candidate', sender_device_id: 'a2' });
    expect(await two.next()).toEqual({ type: 'ack', message: 'Message delivered to a1', id: 7 });
  });

  it('passes requests to connect and their answers on under their other names', async () => {
    const [one, two] = [await connect(alice, 'a1'), await connect(alice, 'a2')];
    one.send({ type: 'connect-request', target_device_id: 'a2', preferred_transport: 'webrtc', id: 'r' });
    expect(await two.next()).toEqual({
      type: 'connect-request-received',
      from_device_id: 'a1',
      preferred_transport: 'webrtc',
      id: 'r',
    });
    expect(await one.next()).toEqual({ type: 'ack', message: 'Message delivered to a2', id: 'r' });
    two.send({ type: 'connect-ack', target_device_id: 'a1', transport: 'webrtc', status: 'accepted' });
    const answer = { from_device_id: 'a2', transport: 'webrtc', status: 'accepted' };
    expect(await one.next()).toEqual({ type: 'connect-ack-received', ...answer });
  });

  it('keeps the order of frames, also before it knows whether they may go', async () => {
    const [one, two] = [await connect(alice, 'a1'), await connect(alice, 'a2')];
    for (let n = 0; n < 50; n += 1) one.send(offer('a2', { n }));
    for (let n = 0; n < 50; n += 1) expect(await two.next()).toMatchObject({ n });
  });

  it('answers what is wrong in the words of the contract', async () => {
    const one = await connect(alice, 'a1');
    const bad: [string, string, string][] = [
      ['{', 'Invalid JSON format', 'malformed-request'],
      ['{}', 'Invalid message format: missing type or target_device_id', 'malformed-request'],
      [
        '{"type":"offer","target_device_id":{}}',
        'Invalid message format: missing type or target_device_id',
        'malformed-request',
      ],
      ['{"type":"__proto__","target_device_id":"a2"}', 'Invalid message format: unknown type', 'malformed-request'],
      [JSON.stringify(offer('a2', { x: 'x'.repeat(64 * 1024) })), 'Message exceeds 64 KB limit', 'payload-too-large'],
    ];
    for (const [frame, message, reason] of bad) {
      one.send(frame);
      expect(await one.next()).toEqual({ type: 'error', message, reason, retryable: false });
    }
    one.send({ type: 'nonsense', target_device_id: 'a2', id: 'x' });
    expect(await one.next()).toMatchObject({ type: 'error', id: 'x' });
  });

  it('says of which frame it could not be looked up whether it may go', async () => {
    const one = await connect(alice, 'a1');
    const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    jest.spyOn(app.app.get(DeviceDirectory), 'find').mockRejectedValueOnce(away);
    one.send(offer('unheard-of', { id: 'n9' }));
    const refusal = { type: 'error', reason: 'database-unavailable', retryable: true, id: 'n9' };
    expect(await one.next()).toEqual({ ...refusal, message: expect.any(String) });
  });

  it('has one answer for who is not there, unknown or out of reach', async () => {
    const one = await connect(alice, 'a1');
    await connect(bob, 'b1');
    for (const target of ['a2', 'b1', 'nobody', 'ä\u0000', 'x'.repeat(200)]) {
      one.send(offer(target, { id: target.slice(0, 5) }));
      expect(await one.next()).toEqual({ ...unavailable(target), id: target.slice(0, 5) });
    }
  });

  it('refuses as the published server did, or by HTTP for who sends a header', async () => {
    const refused = await open(`${base}?token=bad&device_id=a1`);
    expect((await refused.end()).code).toBe(1008);
    const foreign = await open(`${base}?token=${alice.token}&device_id=b1`);
    expect((await foreign.end()).code).toBe(1008);
    const bearer = SocketClient.connect(`${base}?device_id=b1`, { headers: alice.bearer });
    await expect(bearer).rejects.toThrow('403 forbidden');
  });
});

describe('with a key', () => {
  let privateKey: KeyObject;
  const signed = (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64');

  beforeAll(async () => {
    const pair = generateKeyPairSync('ed25519');
    privateKey = pair.privateKey;
    const pubkey = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64');
    const { challenge } = (await app.http.post('/devices/challenge').set(alice.bearer).send({ device_id: 'ak' })).body;
    const signature = signed(`lem-device-register-v1:ak:${challenge}`);
    const proof = { device_id: 'ak', pubkey, challenge, signature };
    expect((await app.http.post('/devices/register').set(alice.bearer).send(proof)).body.proved).toBe(true);
  });

  it('says who it is by its first frame, and proves its key', async () => {
    const client = await open(base);
    client.send({ type: 'auth', token: alice.token, device_id: 'ak' });
    const { challenge, ...rest } = await client.next();
    expect(rest).toEqual({ type: 'challenge', context: 'lem-signaling-connect-v1' });
    client.send({ type: 'auth-response', signature: signed(`lem-signaling-connect-v1:ak:${challenge}`) });
    expect(await client.next()).toMatchObject({ type: 'connected', ice_servers: [expect.anything()] });
    const other = await connect(alice, 'a1');
    other.send(offer('ak'));
    expect(await client.next()).toMatchObject({ sender_device_id: 'a1' });
  });

  it('loses nothing that comes right behind the first frame', async () => {
    const [other, client] = [await connect(alice, 'a2'), await open(base)];
    client.send({ type: 'auth', token: alice.token, device_id: 'a1' });
    const long = { type: 'offer', target_device_id: 'a2', payload: 'x'.repeat(9 * 1024) };
    for (let n = 0; n < 20; n += 1) client.send({ ...long, id: n });
    expect(await client.next()).toMatchObject({ type: 'connected' });
    for (let n = 0; n < 20; n += 1) {
      expect(await other.next()).toMatchObject({ type: 'offer', id: n });
      expect(await client.next()).toMatchObject({ type: 'ack', id: n });
    }
  });

  it('takes no first frame beyond 8 KiB', async () => {
    const client = await open(base);
    client.send({ type: 'auth', token: 'x'.repeat(8 * 1024) });
    expect(await client.next()).toMatchObject({ type: 'error', reason: 'payload-too-large' });
    expect(await client.end()).toEqual({ code: 1009, reason: 'payload_too_large' });
  });

  it('does not let in whoever has the token alone, in whatever way', async () => {
    const ways = [
      (client: SocketClient) => client.send({ type: 'auth-response', signature: 'x' }),
      (client: SocketClient) =>
        client.send({ type: 'auth-response', signature: signed('lem-device-register-v1:ak:x') }),
      (client: SocketClient) => client.send(offer('a1')),
    ];
    for (const way of ways) {
      const client = await open(`${base}?token=${alice.token}&device_id=ak`);
      expect(await client.next()).toMatchObject({ type: 'challenge' });
      way(client);
      expect(await client.next()).toMatchObject({ type: 'error', reason: 'unauthenticated', retryable: false });
      expect((await client.end()).code).toBe(1008);
    }
  });
});

describe('between accounts', () => {
  const contact = (method: 'put' | 'delete', by: Account, jid: string) =>
    app.http[method](`/api/v1/contacts/${jid}`).set(by.bearer);

  it('reaches a contact when both have said so, and no more when one takes it back', async () => {
    const [one, other] = [await connect(alice, 'a1'), await connect(bob, 'b1')];
    const tried = async (): Promise<unknown> => (await one.send(offer('b1')).next()).type;
    expect((await contact('put', alice, bob.jid)).body).toEqual({ jid: bob.jid, state: 'allowed', devices: [] });
    expect(await tried()).toBe('error');
    const asking = (await app.http.get('/api/v1/contacts').set(bob.bearer)).body.contacts;
    expect(asking).toEqual([{ jid: alice.jid, state: 'asking', devices: [] }]);
    const { body } = await contact('put', bob, alice.jid);
    expect(body).toMatchObject({ jid: alice.jid, state: 'mutual' });
    expect(body.devices).toContainEqual({ id: 'a1', type: 'desktop', is_online: true });
    expect(await tried()).toBe('ack');
    expect(await other.next()).toEqual(offer('b1', { sender_device_id: 'a1' }));
    expect((await contact('delete', bob, alice.jid)).body).toEqual({ status: 'withdrawn' });
    expect(await tried()).toBe('error');
    expect((await contact('delete', bob, alice.jid)).status).toBe(404);
  });

  it('can take it back from a contact that is suspended, which is listed and can not be reached', async () => {
    await contact('put', alice, bob.jid);
    await contact('put', bob, alice.jid);
    const listed = async () => (await app.http.get('/api/v1/contacts').set(alice.bearer)).body.contacts;
    const status = (wanted: string) => app.database.sql`UPDATE accounts SET status = ${wanted} WHERE id = ${bob.id}`;
    await status('suspended');
    expect(await listed()).toEqual([{ jid: bob.jid, state: 'mutual', devices: [] }]);
    expect((await contact('put', alice, bob.jid)).status).toBe(404);
    expect((await contact('delete', alice, bob.jid)).body).toEqual({ status: 'withdrawn' });
    expect(await listed()).toEqual([]);
    await status('active');
    expect(await listed()).toEqual([{ jid: bob.jid, state: 'asking', devices: [] }]);
    await contact('delete', bob, alice.jid);
  });

  it('has no contact that is nobody, or oneself', async () => {
    expect((await contact('put', alice, 'nobody@veil.test')).status).toBe(404);
    expect((await contact('put', alice, 'alice@elsewhere.test')).status).toBe(404);
    expect((await contact('put', alice, '%00@veil.test')).status).toBe(404);
    expect((await contact('put', alice, alice.jid)).status).toBe(422);
    expect((await app.http.get('/api/v1/contacts')).status).toBe(401);
  });
});
