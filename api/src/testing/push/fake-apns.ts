import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';
import { Certificate } from './certificate.js';
import { type Answer, Script } from './script.js';

export interface ApnsRequest {
  environment: 'production' | 'sandbox';
  token: string;
  topic: string;
  pushType: string;
  priority: number;
  expiration: number | null;
  collapseId: string | null;
  payload: { aps?: Record<string, unknown> } & Record<string, unknown>;
  /** What it was answered with. */
  status: number | 'reset' | 'silence';
}

/** Why APNs does not take a push: its status and its reason. */
type Refusal = [status: number, reason: string];

const KEY_ID = 'ABC123DEFG';
const TEAM_ID = 'DEF123GHIJ';
const TYPES = ['alert', 'background', 'voip'];
const HOUR = 3600;

/**
 * APNs at the wire: TLS with an authority of its own and HTTP/2, for both environments. It refuses what the real one
 * refuses ("Sending notification requests to APNs"), in its words, and otherwise does what `script` says.
 */
export class FakeApns {
  readonly requests: ApnsRequest[] = [];
  readonly script = new Script();
  /** Connections that were opened. */
  connections = 0;
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private readonly certificate = Certificate.share();
  private readonly sessions = new Set<ServerHttp2Session>();
  private readonly servers = new Map<ApnsRequest['environment'], Http2SecureServer>();
  private readonly ports = { production: 0, sandbox: 0 };
  /** Tokens of ours that were good, until when. */
  private readonly verified = new Map<string, number>();

  static async start(): Promise<FakeApns> {
    const apns = new FakeApns();
    await apns.up();
    return apns;
  }

  /** Settings that point the API here. */
  get environment(): Record<string, string> {
    return {
      APNS_KEY: pem(this.keys.privateKey),
      APNS_KEY_ID: KEY_ID,
      APNS_TEAM_ID: TEAM_ID,
      APNS_URL: `https://localhost:${this.ports.production}`,
      APNS_SANDBOX_URL: `https://localhost:${this.ports.sandbox}`,
      APNS_CA_FILE: this.certificate.authorityFile,
    };
  }

  /** What was taken, of all that came. */
  get accepted(): ApnsRequest[] {
    return this.requests.filter(({ status }) => status === 200);
  }

  /** Listens, on the same ports as before. @param certificate another than the one that is trusted */
  async up(certificate = this.certificate): Promise<void> {
    await Promise.all([this.listen('production', certificate), this.listen('sandbox', certificate)]);
  }

  async down(): Promise<void> {
    this.cut();
    await Promise.all([...this.servers.values()].map((server) => new Promise((resolve) => server.close(resolve))));
    this.servers.clear();
  }

  /** Cuts every connection. */
  cut(): void {
    for (const session of this.sessions) session.destroy();
  }

  /** Says on every connection that it takes no more requests there, as APNs does before it restarts. */
  goAway(): void {
    for (const session of this.sessions) session.goaway();
  }

  forget(): void {
    this.requests.length = 0;
    this.script.clear();
  }

  async stop(): Promise<void> {
    await this.down();
    this.certificate.release();
  }

  private async listen(environment: ApnsRequest['environment'], certificate: Certificate): Promise<void> {
    const server = createSecureServer({ ...certificate.options, settings: { maxConcurrentStreams: 1000 } });
    server.on('session', (session) => {
      this.connections += 1;
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session)).on('error', () => {});
    });
    server.on('sessionError', () => {}).on('tlsClientError', () => {});
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => void this.take(environment, stream, headers, Buffer.concat(chunks)));
    });
    await once(server.listen(this.ports[environment], '127.0.0.1'), 'listening');
    this.ports[environment] = (server.address() as AddressInfo).port;
    this.servers.set(environment, server);
  }

  private async take(
    environment: ApnsRequest['environment'],
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    body: Buffer,
  ): Promise<void> {
    const request = readRequest(environment, headers, body);
    const refusal = this.refusalOf(request, headers, body) ?? (await this.strangerOf(headers.authorization));
    const [status, reason] = refusal ?? [200, ''];
    const answer = refusal ? { status, body: { reason } } : (this.script.take() ?? { status: 200 });
    request.status = typeof answer === 'string' ? answer : answer.status;
    this.requests.push(request);
    respond(stream, answer);
  }

  private refusalOf(request: ApnsRequest, headers: IncomingHttpHeaders, body: Buffer): Refusal | null {
    const { token, topic, pushType, priority, payload } = request;
    const rings = pushType === 'voip';
    if (headers[':method'] !== 'POST') return [405, 'MethodNotAllowed'];
    if (!/^\/3\/device\//.test(headers[':path'] ?? '')) return [404, 'BadPath'];
    if (!/^[0-9a-f]{64,200}$/i.test(token)) return [400, 'BadDeviceToken'];
    if (topic === '') return [400, 'MissingTopic'];
    if (!TYPES.includes(pushType)) return [400, 'InvalidPushType'];
    if (rings !== topic.endsWith('.voip')) return [400, 'TopicDisallowed'];
    if (![1, 5, 10].includes(priority) || (pushType === 'background' && priority === 10)) return [400, 'BadPriority'];
    if (request.expiration === null || !Number.isInteger(request.expiration)) return [400, 'BadExpirationDate'];
    if (Buffer.byteLength(request.collapseId ?? '') > 64) return [400, 'BadCollapseId'];
    if (Object.keys(payload).length === 0) return [400, 'PayloadEmpty'];
    return body.length > (rings ? 5120 : 4096) ? [413, 'PayloadTooLarge'] : null;
  }

  /** What is wrong with the provider token (RFC 7515, ES256), if anything is. */
  private async strangerOf(authorization: string | undefined): Promise<Refusal | null> {
    const [, jwt] = /^bearer (\S+)$/i.exec(authorization ?? '') ?? [];
    if (!jwt) return [403, 'MissingProviderToken'];
    const now = Math.floor(Date.now() / 1000);
    const knownUntil = this.verified.get(jwt);
    if (knownUntil !== undefined) return knownUntil > now ? null : [403, 'ExpiredProviderToken'];
    try {
      const options = { algorithms: ['ES256'], issuer: TEAM_ID, requiredClaims: ['iat'] };
      const { payload, protectedHeader } = await jwtVerify(jwt, this.keys.publicKey, options);
      const issuedAt = payload.iat ?? 0;
      if (protectedHeader.kid !== KEY_ID || issuedAt > now + 60) return [403, 'InvalidProviderToken'];
      this.verified.set(jwt, issuedAt + HOUR);
      return issuedAt + HOUR > now ? null : [403, 'ExpiredProviderToken'];
    } catch {
      return [403, 'InvalidProviderToken'];
    }
  }
}

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

function readRequest(environment: ApnsRequest['environment'], headers: IncomingHttpHeaders, body: Buffer): ApnsRequest {
  const header = (name: string): string | null => headers[name]?.toString() ?? null;
  const expiration = header('apns-expiration');
  return {
    environment,
    token: headers[':path']?.split('/').at(-1) ?? '',
    topic: header('apns-topic') ?? '',
    pushType: header('apns-push-type') ?? '',
    priority: Number(header('apns-priority')),
    expiration: expiration === null ? null : Number(expiration),
    collapseId: header('apns-collapse-id'),
    payload: readJson(body),
    status: 200,
  };
}

function readJson(body: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function respond(stream: ServerHttp2Stream, answer: Answer): void {
  if (stream.destroyed || answer === 'silence') return;
  if (answer === 'reset') {
    stream.session?.destroy();
    return;
  }
  stream.respond({ ':status': answer.status, 'apns-id': crypto.randomUUID(), ...answer.headers });
  stream.end(
    answer.body === undefined ? '' : typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body),
  );
}
