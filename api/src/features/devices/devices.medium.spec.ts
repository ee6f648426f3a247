import { generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { DevicesService } from './devices.service.js';

type Account = Awaited<ReturnType<TestApp['register']>>;

const clock = new FakeClock();
let app: TestApp;
let alice: Account;
let bob: Account;

beforeAll(async () => {
  app = await TestApp.start({}, {}, clock);
  [alice, bob] = await Promise.all([app.register('alice'), app.register('bob')]);
});
afterAll(() => app.stop());

const post = (path: string, body: object, by: Account = alice) => app.http.post(path).set(by.bearer).send(body);

/** A key as a device holds it. */
function newKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pubkey = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64');
  const signed = (text: string): string => sign(null, Buffer.from(text), privateKey).toString('base64');
  return { pubkey, signed };
}

type Key = ReturnType<typeof newKey>;

async function challenge(device_id: string, by: Account = alice): Promise<string> {
  const { status, body } = await post('/devices/challenge', { device_id }, by);
  expect([status, body.context, body.expires_in]).toEqual([200, 'lem-device-register-v1', 120]);
  return body.challenge;
}

const proofOf = (key: Key, device_id: string, text: string) => ({
  device_id,
  pubkey: key.pubkey,
  challenge: text,
  signature: key.signed(`lem-device-register-v1:${device_id}:${text}`),
});

describe('devices as the apps of the relay know them', () => {
  it('are numbers, listed, renamed and revoked, at the root and below the base', async () => {
    const host = await post('/devices', { name: 'Phone', type: 'host' });
    expect(host.status).toBe(200);
    expect(host.body).toEqual({
      id: expect.any(Number),
      name: 'Phone',
      type: 'host',
      is_online: false,
      last_seen: null,
    });
    const client = await post('/api/v1/devices', { name: 'Tablet', type: 'client' });
    const renamed = await app.http.patch(`/devices/${client.body.id}`).set(alice.bearer).send({ name: 'Big one' });
    expect(renamed.body).toMatchObject({ id: client.body.id, name: 'Big one' });
    const list = await app.http.get('/devices').set(alice.bearer);
    expect(list.body.map(({ name }: { name: string }) => name)).toEqual(['Phone', 'Big one']);
    expect((await app.http.get('/devices').set(bob.bearer)).body).toEqual([]);
  });

  it('have a type that there is', async () => {
    const { status, body } = await post('/devices', { name: 'Phone', type: 'toaster' });
    expect([status, body.code]).toEqual([400, 'unknown_device_type']);
  });

  it("are nobody else's to change", async () => {
    const { id } = (await post('/devices', { name: 'Mine', type: 'host' })).body;
    const foreign = [
      app.http.delete(`/devices/${id}`).set(bob.bearer),
      app.http.patch(`/devices/${id}`).set(bob.bearer).send({ name: 'Yours' }),
    ];
    for (const { status } of await Promise.all(foreign)) expect(status).toBe(404);
    expect((await app.http.delete('/devices/%00').set(alice.bearer)).status).toBe(404);
  });

  it('end with their sessions when they are revoked', async () => {
    const carol = await app.register('carol');
    const { id } = (await post('/devices', { name: 'Lost', type: 'client' }, carol)).body;
    const revoked = await app.http.delete(`/devices/${id}`).set(carol.bearer);
    expect([revoked.status, revoked.body]).toEqual([200, { status: 'revoked' }]);
    expect((await app.http.get('/devices').set(carol.bearer)).status).toBe(401);
    const rows = await app.database.sql`SELECT FROM devices WHERE account_id = ${carol.id}`;
    expect(rows).toHaveLength(0);
  });

  it('are no more than a hundred, however many are asked for at once', async () => {
    const dave = await app.register('dave');
    const answers = await Promise.all(
      Array.from({ length: 110 }, (_, n) => post('/devices', { name: `d${n}`, type: 'client' }, dave)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(answers.find(({ status }) => status !== 200)?.body.code).toBe('too_many_devices');
  });
});

describe('devices as the clients of the signalling server know them', () => {
  it('have an id of their own and a key, and are listed with it by a path with a slash', async () => {
    const { username, password } = alice;
    const { user_id: number } = (await app.http.post('/auth/login').send({ username, password })).body;
    const first = await post('/devices/register', { device_id: 'lem-1', pubkey: 'ed25519-pubkey-here' });
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      id: 'lem-1',
      user_id: number,
      pubkey: 'ed25519-pubkey-here',
      proved: false,
      created_at: expect.any(String),
      last_seen: null,
    });
    const again = await post('/devices/register', { device_id: 'lem-1', pubkey: 'another' });
    expect([again.status, again.body.pubkey, again.body.created_at]).toEqual([201, 'another', first.body.created_at]);
    const foreign = await post('/devices/register', { device_id: 'lem-1', pubkey: 'mine' }, bob);
    expect([foreign.status, foreign.body.code]).toEqual([403, 'forbidden']);
    for (const path of ['/devices/', '/api/v1/devices/', '/api/v1/devices/keys']) {
      const { body } = await app.http.get(path).set(alice.bearer);
      expect(body).toContainEqual(expect.objectContaining({ id: 'lem-1', pubkey: 'another' }));
    }
  });

  it('prove their key, once for each challenge', async () => {
    const key = newKey();
    const proof = proofOf(key, 'prover', await challenge('prover'));
    const proved = await post('/devices/register', proof);
    expect([proved.status, proved.body.proved]).toEqual([201, true]);
    expect((await post('/devices/register', proof)).body.code).toBe('invalid_proof');
    // Without a proof: the same key changes nothing, another is refused.
    expect((await post('/devices/register', { device_id: 'prover', pubkey: key.pubkey })).body.proved).toBe(true);
    const other = await post('/devices/register', { device_id: 'prover', pubkey: newKey().pubkey });
    expect([other.status, other.body.code]).toEqual([403, 'forbidden']);
    const next = newKey();
    const replaced = await post('/devices/register', proofOf(next, 'prover', await challenge('prover')));
    expect([replaced.status, replaced.body.pubkey]).toEqual([201, next.pubkey]);
  });

  it('prove nothing by a wrong key, device, context, text or an old challenge', async () => {
    const key = newKey();
    const wrongs: ((fresh: string) => object)[] = [
      (fresh) => ({ ...proofOf(newKey(), 'wrong', fresh), pubkey: key.pubkey }),
      (fresh) => ({ ...proofOf(key, 'other', fresh), device_id: 'wrong' }),
      (fresh) => ({
        ...proofOf(key, 'wrong', fresh),
        signature: key.signed(`lem-signaling-connect-v1:wrong:${fresh}`),
      }),
      (fresh) => ({ ...proofOf(key, 'wrong', fresh), challenge: Buffer.alloc(32).toString('base64') }),
      (fresh) => ({ ...proofOf(key, 'wrong', fresh), signature: 'x' }),
      (fresh) => ({ device_id: 'wrong', pubkey: key.pubkey, challenge: fresh }),
    ];
    for (const wrong of wrongs) {
      const fresh = await challenge('wrong');
      expect((await post('/devices/register', wrong(fresh))).body.code).toBe('invalid_proof');
      // The attempt has burnt it.
      expect((await post('/devices/register', proofOf(key, 'wrong', fresh))).body.code).toBe('invalid_proof');
    }
    const old = await challenge('wrong');
    clock.advance(120_001);
    expect((await post('/devices/register', proofOf(key, 'wrong', old))).body.code).toBe('invalid_proof');
    const foreign = await challenge('wrong', bob);
    expect((await post('/devices/register', proofOf(key, 'wrong', foreign))).body.code).toBe('invalid_proof');
  });

  it('take no number but that of a device that there is', async () => {
    expect((await post('/devices/register', { device_id: '4711', pubkey: 'key' })).status).toBe(404);
    const { id } = (await post('/devices', { name: 'Phone', type: 'mobile' })).body;
    const { body } = await post('/devices/register', { device_id: String(id), pubkey: 'key' });
    expect(body).toMatchObject({ id: String(id), pubkey: 'key' });
  });

  it('refuse what can be no id and no key', async () => {
    for (const device_id of ['', 'a b', 'ä', 'x'.repeat(129), '__proto__\n']) {
      expect((await post('/devices/register', { device_id, pubkey: 'key' })).status).toBe(422);
    }
    const fresh = await challenge('short');
    const short = { ...proofOf(newKey(), 'short', fresh), pubkey: 'c2hvcnQ=' };
    expect((await post('/devices/register', short)).body.errors).toEqual([
      { field: 'pubkey', detail: expect.any(String) },
    ]);
  });

  it('leave no challenge behind', async () => {
    await challenge('forgotten');
    clock.advance(121_000);
    await app.app.get(DevicesService).removeExpired(1);
    expect(await app.database.sql`SELECT FROM device_challenges`).toHaveLength(0);
  });
});
