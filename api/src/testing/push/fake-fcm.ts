import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { jwtVerify } from 'jose';
import { FakeHttps, type HttpsRequest } from './fake-https.js';
import { type Answer, Script } from './script.js';

export interface FcmMessage {
  token: string;
  data: Record<string, string>;
  android: { priority?: string; ttl?: string; collapseKey?: string };
  [other: string]: unknown;
}

const PROJECT = 'veil-test';
const EMAIL = 'push@veil-test.iam.gserviceaccount.com';
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';

/** An answer in the form of the API, with FcmError's code where there is one. */
export const fcmError = (status: number, code: string, errorCode?: string): Answer => ({
  status,
  body: {
    error: {
      code: status,
      status: code,
      message: 'as the test told it',
      ...(errorCode
        ? { details: [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }] }
        : {}),
    },
  },
});

/**
 * FCM's HTTP v1 API and Google's token server at the wire. Assertions are verified (RFC 7523), access tokens are asked
 * for, and a message must be in the form that the API documents; what is right, `script` answers.
 */
export class FakeFcm extends FakeHttps {
  readonly messages: FcmMessage[] = [];
  /** What the token server does. */
  readonly tokenScript = new Script();
  /** How often a message came, and an access token was asked for. */
  sends = 0;
  fetches = 0;
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private readonly tokens = new Set<string>();

  static async start(): Promise<FakeFcm> {
    const fcm = new FakeFcm();
    await fcm.up();
    return fcm;
  }

  /** Settings that point the API here. */
  get environment(): Record<string, string> {
    const account = {
      type: 'service_account',
      project_id: PROJECT,
      client_email: EMAIL,
      private_key: this.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    };
    return {
      FCM_SERVICE_ACCOUNT: JSON.stringify(account),
      FCM_URL: this.origin,
      FCM_TOKEN_URL: `${this.origin}/token`,
      FCM_CA_FILE: this.certificate.authorityFile,
    };
  }

  /** Access tokens that were given are good no more. */
  revoke(): void {
    this.tokens.clear();
  }

  forget(): void {
    this.messages.length = 0;
    this.sends = 0;
    this.script.clear();
    this.tokenScript.clear();
  }

  protected answer(request: HttpsRequest): Promise<Answer> {
    if (request.method === 'POST' && request.path === '/token') return this.giveToken(request);
    return Promise.resolve(this.takeMessage(request));
  }

  private async giveToken({ body }: HttpsRequest): Promise<Answer> {
    this.fetches += 1;
    const told = this.tokenScript.take();
    if (told) return told;
    const form = new URLSearchParams(body.toString());
    try {
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('grant_type');
      const options = { algorithms: ['RS256'], issuer: EMAIL, audience: `${this.origin}/token` };
      const { payload } = await jwtVerify(form.get('assertion') ?? '', this.keys.publicKey, options);
      if (payload.scope !== SCOPE || (payload.exp ?? 0) - (payload.iat ?? 0) > 3600) throw new Error('claims');
    } catch {
      return { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT' } };
    }
    const token = randomBytes(16).toString('base64url');
    this.tokens.add(token);
    return { status: 200, body: { access_token: token, expires_in: 3599, token_type: 'Bearer' } };
  }

  private takeMessage({ method, path, headers, body }: HttpsRequest): Answer {
    this.sends += 1;
    if (method !== 'POST' || path !== `/v1/projects/${PROJECT}/messages:send`) return fcmError(404, 'NOT_FOUND');
    const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (!this.tokens.has(token)) return fcmError(401, 'UNAUTHENTICATED');
    const { message } = JSON.parse(body.toString()) as { message: FcmMessage };
    if (!isRight(message)) return fcmError(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT');
    const told = this.script.take();
    if (told) return told;
    this.messages.push(message);
    return { status: 200, body: { name: `projects/${PROJECT}/messages/${this.messages.length}` } };
  }
}

/** Data only: whatever Android shows by itself, the app is not woken for. */
function isRight({ token, data, android, ...others }: FcmMessage): boolean {
  const isText = Object.values(data).every((value) => typeof value === 'string');
  const isShort = Buffer.byteLength(JSON.stringify(data)) <= 4096;
  const isPriority = ['high', 'normal', 'HIGH', 'NORMAL'].includes(android.priority ?? '');
  const isTtl = /^\d+(\.\d+)?s$/.test(android.ttl ?? '');
  return token !== '' && isText && isShort && isPriority && isTtl && Object.keys(others).length === 0;
}
