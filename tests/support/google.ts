import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import jwt from 'jsonwebtoken';

const CLIENT_ID = 'veil-app.apps.googleusercontent.com';
const KEY_ID = 'key-1';

/** Signs ID tokens as Google does, and publishes its key on loopback. */
export class Google {
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private readonly server: Server;

  private constructor() {
    const jwk = { ...this.keys.publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' };
    this.server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
    });
  }

  static async start(): Promise<Google> {
    const google = new Google();
    await once(google.server.listen(0, '127.0.0.1'), 'listening');
    return google;
  }

  /** Settings that point the API here. */
  get settings(): NodeJS.ProcessEnv {
    const { port } = this.server.address() as AddressInfo;
    return { GOOGLE_CLIENT_IDS: CLIENT_ID, GOOGLE_KEYS_URL: `http://127.0.0.1:${port}/` };
  }

  token(subject: string): string {
    return jwt.sign({}, this.keys.privateKey, {
      algorithm: 'RS256',
      keyid: KEY_ID,
      issuer: 'https://accounts.google.com',
      audience: CLIENT_ID,
      subject,
      expiresIn: 3600,
    });
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
