import { createDecipheriv, createECDH, createPublicKey, type ECDH, hkdfSync, randomBytes } from 'node:crypto';
import { jwtVerify } from 'jose';
import { FakeHttps, type HttpsRequest } from './fake-https.js';
import type { Answer } from './script.js';

export interface WebPushMessage {
  /** Which subscription it was for. */
  id: string;
  ttl: number;
  urgency: string;
  topic: string | null;
  data: Record<string, string>;
}

interface Subscription {
  keys: ECDH;
  auth: Buffer;
}

const DAY = 86_400;

/**
 * A web push service at the wire, and the browser behind it: verifies VAPID (RFC 8292) and decrypts (RFC 8188, RFC 8291).
 * What is right, `script` answers.
 */
export class FakeWebPush extends FakeHttps {
  readonly messages: WebPushMessage[] = [];
  /** How many requests came. */
  requests = 0;
  /** Browsers subscribe for one server, and its service takes pushes of no other (RFC 8292 §4.2). */
  private readonly vapid = createECDH('prime256v1');
  private readonly subscriptions = new Map<string, Subscription>();

  static async start(): Promise<FakeWebPush> {
    const service = new FakeWebPush();
    service.vapid.generateKeys();
    await service.up();
    return service;
  }

  /** Settings that let the API come here. */
  get environment(): Record<string, string> {
    return {
      VAPID_PRIVATE_KEY: this.vapid.getPrivateKey('hex').padStart(64, '0'),
      VAPID_SUBJECT: 'mailto:operator@veil.test',
      WEBPUSH_CA_FILE: this.certificate.authorityFile,
      WEBPUSH_PRIVATE_NETWORKS: '127.0.0.0/8, ::1',
    };
  }

  /** What a browser registers. @param origin another name of this server */
  subscribe(origin = this.origin) {
    const keys = createECDH('prime256v1');
    keys.generateKeys();
    const [auth, id] = [randomBytes(16), randomBytes(12).toString('base64url')];
    this.subscriptions.set(id, { keys, auth });
    const p256dh = keys.getPublicKey('base64url');
    return { platform: 'web', push_token: `${origin}/push/${id}`, p256dh, auth: auth.toString('base64url') };
  }

  forget(): void {
    this.messages.length = 0;
    this.requests = 0;
    this.script.clear();
  }

  protected async answer(request: HttpsRequest): Promise<Answer> {
    this.requests += 1;
    const id = /^\/push\/([\w-]+)$/.exec(request.path)?.[1] ?? '';
    const subscription = this.subscriptions.get(id);
    if (!subscription || request.method !== 'POST') return { status: 404 };
    if (!(await this.isSigned(request.headers))) return { status: 403, body: 'VAPID' };
    if (request.body.length > 4096) return { status: 413 };
    const message = read(id, request, subscription);
    if (!message) return { status: 400, body: 'encryption or headers' };
    const told = this.script.take();
    if (told) return told;
    this.messages.push(message);
    return { status: 201, headers: { location: `${this.origin}/message/${this.messages.length}` } };
  }

  private async isSigned({ authorization = '' }: HttpsRequest['headers']): Promise<boolean> {
    const [, jwt = '', key = ''] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/i.exec(authorization) ?? [];
    if (key !== this.vapid.getPublicKey('base64url')) return false;
    try {
      const { payload } = await jwtVerify(jwt, publicKeyOf(key), { algorithms: ['ES256'], audience: this.origin });
      const isShort = (payload.exp ?? 0) <= Date.now() / 1000 + DAY;
      return isShort && payload.exp !== undefined && /^(mailto:|https:)/.test(payload.sub ?? '');
    } catch {
      return false;
    }
  }
}

function publicKeyOf(text: string) {
  const point = Buffer.from(text, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: x!, y: y! } });
}

function read(id: string, { headers, body }: HttpsRequest, subscription: Subscription): WebPushMessage | null {
  const header = (name: string): string | null => headers[name]?.toString() ?? null;
  const [ttl, urgency] = [header('ttl'), header('urgency') ?? 'normal'];
  if (header('content-encoding') !== 'aes128gcm' || !/^\d+$/.test(ttl ?? '')) return null;
  try {
    const data = JSON.parse(decrypt(body, subscription).toString()) as Record<string, string>;
    return { id, ttl: Number(ttl), urgency, topic: header('topic'), data };
  } catch {
    return null;
  }
}

/** RFC 8188 §2, of a single record, with the keys of RFC 8291 §3.4. */
function decrypt(body: Buffer, { keys, auth }: Subscription): Buffer {
  const salt = body.subarray(0, 16);
  const idLength = body.readUInt8(20);
  const sender = body.subarray(21, 21 + idLength);
  const record = body.subarray(21 + idLength);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), keys.getPublicKey(), sender]);
  const input = derive(keys.computeSecret(sender), auth, info, 32);
  const key = derive(input, salt, 'Content-Encoding: aes128gcm\0', 16);
  const nonce = derive(input, salt, 'Content-Encoding: nonce\0', 12);
  const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  // The last record ends with 2 and zeros.
  return padded.subarray(0, padded.lastIndexOf(2));
}

const derive = (secret: Buffer, salt: Buffer, info: Buffer | string, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, length));
