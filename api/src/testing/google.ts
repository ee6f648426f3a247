import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export const CLIENT_ID = 'veil-app.apps.googleusercontent.com';

/** Signs ID tokens as Google does, and publishes its keys on loopback. */
export class FakeGoogle {
  /** How often the keys were asked for. */
  fetches = 0;
  /** Until it is true again, the key server answers 500. */
  up = true;
  private keys: { kid: string; privateKey: CryptoKey; jwk: JWK }[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeGoogle> {
    const server = createServer((_, response) => {
      google.fetches += 1;
      response.writeHead(google.up ? 200 : 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: google.up ? google.keys.map(({ jwk }) => jwk) : 'none' }));
    });
    const google = new FakeGoogle(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await google.rotate();
    return google;
  }

  /** Settings that point the API here. */
  get environment(): NodeJS.ProcessEnv {
    const { port } = this.server.address() as AddressInfo;
    return { GOOGLE_CLIENT_IDS: `other.apps, ${CLIENT_ID}`, GOOGLE_KEYS_URL: `http://127.0.0.1:${port}/certs` };
  }

  /** A new key takes the place of all others. */
  async rotate(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const kid = `key-${crypto.randomUUID()}`;
    this.keys = [{ kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } }];
  }

  /** The public half of the key that signs. */
  get publicKey(): JWK {
    return this.current.jwk;
  }

  /** @param claims change what a token usually says; undefined leaves a claim out. @param now in milliseconds */
  token(claims: JWTPayload = {}, { kid = this.current.kid, now = Date.now(), key = this.current.privateKey } = {}) {
    const issuedAt = Math.floor(now / 1000);
    const usual = { iss: 'https://accounts.google.com', aud: CLIENT_ID, iat: issuedAt, exp: issuedAt + 3600 };
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' }).sign(key);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private get current() {
    const [key] = this.keys;
    if (!key) throw new Error('it has no key yet');
    return key;
  }
}
