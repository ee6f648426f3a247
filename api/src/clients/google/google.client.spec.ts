import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { Metrics } from '../../common/metrics.js';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { FakeClock } from '../../testing/clock.js';
import { testConfig } from '../../testing/config.js';
import { CLIENT_ID, FakeGoogle } from '../../testing/google.js';
import { Google } from './google.client.js';
import { GoogleKeys } from './google-keys.client.js';

const MINUTE = 60_000;
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('ID tokens of Google', () => {
  let fake: FakeGoogle;
  let clock: FakeClock;
  let keys: GoogleKeys;
  let google: Google;

  beforeAll(async () => {
    fake = await FakeGoogle.start();
  });
  afterAll(() => fake.stop());

  beforeEach(() => {
    fake.up = true;
    fake.fetches = 0;
    use({});
  });
  afterEach(() => keys.onApplicationShutdown());

  function use(settings: NodeJS.ProcessEnv): void {
    clock = new FakeClock();
    const config = testConfig({ ...fake.environment, NEIGHBOUR_TIMEOUT_MS: '300', ...settings });
    keys = new GoogleKeys(clock, new NeighbourTimes(new Metrics()), config);
    google = new Google(keys, clock, config);
  }

  const seconds = (offset: number): number => clock.seconds() + offset;
  const token = (claims = {}, options = {}) =>
    fake.token({ sub: '1234', ...claims }, { now: clock.milliseconds(), ...options });
  const verify = async (claims = {}, options = {}) => google.verify(await token(claims, options));
  const refused = (detail: string | RegExp) => ({ code: 'invalid_id_token', detail: expect.stringMatching(detail) });
  const unavailable = { code: 'identity_provider_unavailable' };

  it('name the account, and its address only when Google calls it verified', async () => {
    expect(await verify()).toEqual({ sub: '1234', verifiedEmail: null });
    const email = 'Alice@Example.org';
    expect(await verify({ email, email_verified: true })).toEqual({ sub: '1234', verifiedEmail: 'alice@example.org' });
    expect(await verify({ email, email_verified: false })).toEqual({ sub: '1234', verifiedEmail: null });
    expect(await verify({ email, email_verified: 'true' })).toEqual({ sub: '1234', verifiedEmail: null });
    expect(await verify({ email: 'no address', email_verified: true })).toEqual({ sub: '1234', verifiedEmail: null });
    expect(await verify({ iss: 'accounts.google.com', aud: 'other.apps' })).toMatchObject({ sub: '1234' });
  });

  it.each([
    ['of another audience', { aud: 'stranger.apps' }, 'aud'],
    ['of no audience', { aud: undefined }, 'aud'],
    ['of several audiences', { aud: [CLIENT_ID, 'stranger.apps'] }, 'several'],
    ['of another issuer', { iss: 'https://accounts.google.com.evil.test' }, 'iss'],
    ['of an issuer over plain HTTP', { iss: 'http://accounts.google.com' }, 'iss'],
    ['of nobody', { sub: undefined }, 'sub'],
    ['of an empty name', { sub: '' }, 'nobody'],
    ['of a number', { sub: 1234 }, ''],
    ['of a name that is too long', { sub: 'x'.repeat(256) }, 'nobody'],
    ['without an end', { exp: undefined }, 'exp'],
    ['without a beginning', { iat: undefined }, 'iat'],
  ])('%s are refused', async (_, claims, detail) => {
    await expect(verify(claims)).rejects.toMatchObject(refused(detail));
  });

  it('count for their time, with half a minute of leeway', async () => {
    await expect(verify({ exp: seconds(-31) })).rejects.toMatchObject(refused('expired'));
    await verify({ exp: seconds(-29) });
    await expect(verify({ nbf: seconds(31) })).rejects.toMatchObject(refused('nbf'));
    await verify({ nbf: seconds(29) });
    await expect(verify({ iat: seconds(31) })).rejects.toMatchObject(refused('iat'));
    await verify({ iat: seconds(29) });
    await expect(verify({ iat: seconds(-25 * 3600), exp: seconds(3600) })).rejects.toMatchObject(refused('expired'));
  });

  it('without a signature are refused', async () => {
    const [, payload] = (await token()).split('.');
    for (const alg of ['none', 'None', '']) {
      await expect(google.verify(`${base64url({ alg, typ: 'JWT' })}.${payload}.`)).rejects.toMatchObject(refused(''));
    }
    await expect(google.verify((await token()).replace(/\.[^.]*$/, '.'))).rejects.toMatchObject(refused(''));
  });

  it('that take the public key for a shared secret are refused', async () => {
    const [, payload] = (await token()).split('.');
    const { kid, n } = fake.publicKey;
    const der = await crypto.subtle.exportKey('spki', (await importJWK(fake.publicKey, 'RS256')) as CryptoKey);
    for (const secret of [JSON.stringify(fake.publicKey), n ?? '', Buffer.from(der)]) {
      const signed = `${base64url({ alg: 'HS256', kid, typ: 'JWT' })}.${payload}`;
      const mac = createHmac('sha256', secret).update(signed).digest('base64url');
      await expect(google.verify(`${signed}.${mac}`)).rejects.toMatchObject(refused('RS256'));
    }
  });

  it('signed with another key, or changed, are refused', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    await expect(verify({}, { key: privateKey })).rejects.toMatchObject(refused('signature'));
    const [header, , signature] = (await token()).split('.');
    const changed = base64url({
      iss: 'accounts.google.com',
      aud: CLIENT_ID,
      sub: 'victim',
      exp: seconds(60),
      iat: seconds(0),
    });
    await expect(google.verify(`${header}.${changed}.${signature}`)).rejects.toMatchObject(refused('signature'));
    const own = await new SignJWT({ iss: 'accounts.google.com', aud: CLIENT_ID, sub: 'victim' })
      .setProtectedHeader({
        alg: 'RS256',
        kid: fake.publicKey.kid ?? '',
        jwk: await exportJWK(publicKey),
        jku: 'http://127.0.0.1/',
      })
      .setIssuedAt(seconds(0))
      .setExpirationTime(seconds(60))
      .sign(privateKey);
    await expect(google.verify(own)).rejects.toMatchObject(refused('signature'));
  });

  it.each(['', 'x', 'a.b.c', 'a.b.c.d.e', '..'])('that are none (%j) are refused', async (text) => {
    await expect(google.verify(text)).rejects.toMatchObject(refused(''));
  });

  it('are verified without asking for the keys again', async () => {
    await Promise.all(Array.from({ length: 20 }, () => verify()));
    expect(fake.fetches).toBe(1);
    clock.advance(59 * MINUTE);
    await verify();
    expect(fake.fetches).toBe(1);
    clock.advance(2 * MINUTE);
    await verify();
    expect(fake.fetches).toBe(2);
  });

  it('of a new key are good at once, and of the old one no longer', async () => {
    const old = await token();
    await google.verify(old);
    await fake.rotate();
    await verify();
    expect(fake.fetches).toBe(2);
    await expect(google.verify(old)).rejects.toMatchObject(refused('signature'));
  });

  it('of made-up keys have the keys fetched a few times a minute at most', async () => {
    await verify();
    for (let made = 0; made < 50; made += 1) {
      await expect(verify({}, { kid: `made-up-${made}` })).rejects.toMatchObject(refused('signature'));
    }
    expect(fake.fetches).toBe(7);
    await verify();
    clock.advance(MINUTE);
    await fake.rotate();
    await verify();
    expect(fake.fetches).toBe(8);
  });

  it('are neither good nor bad while the keys can not be had', async () => {
    fake.up = false;
    await expect(verify()).rejects.toMatchObject(unavailable);
    fake.up = true;
    await verify();
  });

  it('are verified with known keys for a day when newer ones can not be had', async () => {
    await verify();
    fake.up = false;
    clock.advance(23 * 60 * MINUTE);
    await verify();
    await verify();
    expect(fake.fetches).toBe(2);
    await expect(verify({}, { kid: 'new' })).rejects.toMatchObject(unavailable);
    clock.advance(61 * MINUTE);
    await expect(verify()).rejects.toMatchObject(unavailable);
  });

  describe('when the key server', () => {
    let server: Server;
    const listen = async (answer: string | null): Promise<NodeJS.ProcessEnv> => {
      server = createServer((socket) => {
        socket.on('error', () => {}).resume();
        if (answer !== null) socket.end(answer);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : 0;
      return { GOOGLE_KEYS_URL: `http://127.0.0.1:${port}/` };
    };
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    it.each([
      ['hangs', null],
      ['is a web page', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n<html'],
      ['holds no keys', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"keys":{}}'],
      ['leads elsewhere', 'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n'],
      ['is cut off', 'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"keys"'],
    ])('%s, says so', async (_, answer) => {
      use(await listen(answer));
      await expect(verify()).rejects.toMatchObject(unavailable);
      keys.onApplicationShutdown();
    });
  });

  it('are refused, and nobody is asked, when the operator has set no client id', async () => {
    use({ GOOGLE_CLIENT_IDS: '' });
    await expect(verify()).rejects.toMatchObject({ code: 'google_sign_in_off' });
    expect(fake.fetches).toBe(0);
  });
});
