import { createHash, randomBytes } from 'node:crypto';
import { ProbeError } from './probe-error.js';
import type { SipConnection } from './sip-connection.js';
import {
  type Header,
  headerOf,
  headersOf,
  isRequest,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  uriOf,
} from './sip-message.js';

export interface SipAccount {
  username: string;
  password: string;
  domain: string;
}

/** A call that was answered: what its later requests are made of. */
export interface SipCall {
  /** The description of the other party's media. */
  sdp: string;
  request: SipRequest;
  response: SipResponse;
}

interface Outline {
  from: string;
  to: string;
  callId?: string;
  sequence?: number;
  headers?: readonly Header[];
  body?: string;
}

/** RFC 3261 §17.1.1.1: T1, until it has doubled to T2. */
const T1_MS = 500;
const T2_MS = 4000;

const token = (): string => randomBytes(8).toString('hex');
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** Asks a SIP server whether it is there (RFC 3261 §11): no account is needed. @throws ProbeError */
export async function askOptions(connection: SipConnection, domain: string): Promise<SipResponse> {
  const anonymous = '<sip:anonymous@anonymous.invalid>';
  const outline = { from: `${anonymous};tag=${token()}`, to: `<sip:${domain}>` };
  return transact(connection, compose(connection, 'OPTIONS', `sip:${domain}`, outline));
}

/** A phone: an account on one connection to its server. */
export class SipAgent {
  constructor(
    private readonly connection: SipConnection,
    private readonly account: SipAccount,
  ) {}

  get address(): string {
    return `sip:${this.account.username}@${this.account.domain}`;
  }

  /** Can be called on this connection from now on. @param seconds 0 ends it @throws ProbeError */
  async register(seconds: number): Promise<void> {
    const headers: Header[] = [
      ['Contact', this.contact],
      ['Expires', String(seconds)],
    ];
    const outline = { from: this.from(), to: `<${this.address}>`, headers };
    required(await this.request('REGISTER', `sip:${this.account.domain}`, outline).then(({ response }) => response));
  }

  /** Calls, and resolves when the other party has answered. @throws ProbeError */
  async call(address: string, sdp: string): Promise<SipCall> {
    const headers: Header[] = [
      ['Contact', this.contact],
      ['Content-Type', 'application/sdp'],
    ];
    const outline = { from: this.from(), to: `<${address}>`, headers, body: sdp };
    const { request, response } = await this.request('INVITE', address, outline);
    required(response);
    const call = { request, response, sdp: response.body };
    this.connection.send(this.within(call, 'ACK'));
    return call;
  }

  /** Resolves when the phone of the other party rings. @throws ProbeError */
  async ringing(): Promise<void> {
    const { inbox } = this.connection;
    await inbox.take('the sign that it rings', (message) => !isRequest(message) && message.status === 180);
  }

  /** Rings, answers the next call, and resolves when the caller has confirmed. @throws ProbeError */
  async answer(sdp: string): Promise<{ sdp: string }> {
    const invite = await this.incoming('INVITE');
    const tag = token();
    this.reply(invite, 180, 'Ringing', tag);
    this.reply(invite, 200, 'OK', tag, sdp);
    await this.incoming('ACK');
    return { sdp: invite.body };
  }

  /** Ends a call of ours. @throws ProbeError */
  async hangUp(call: SipCall): Promise<void> {
    required(await transact(this.connection, this.within(call, 'BYE')));
  }

  /** Waits for the end of the call. @throws ProbeError */
  async hungUp(): Promise<void> {
    this.reply(await this.incoming('BYE'), 200, 'OK');
  }

  close(): void {
    this.connection.close();
  }

  /** A request, again with the answer to the server's challenge. */
  private async request(
    method: string,
    uri: string,
    outline: Outline,
  ): Promise<{ request: SipRequest; response: SipResponse }> {
    const shared = { callId: token(), ...outline };
    const first = compose(this.connection, method, uri, shared);
    const challenge = await transact(this.connection, first);
    if (challenge.status !== 401 && challenge.status !== 407) return { request: first, response: challenge };
    if (method === 'INVITE') this.connection.send(refusalTaken(first, challenge));
    const headers = [...(outline.headers ?? []), digest(challenge, method, uri, this.account)];
    const request = compose(this.connection, method, uri, { ...shared, headers, sequence: 2 });
    const response = await transact(this.connection, request);
    if (method === 'INVITE' && response.status >= 300) this.connection.send(refusalTaken(request, response));
    return { request, response };
  }

  private async incoming(method: string): Promise<SipRequest> {
    const what = method === 'INVITE' ? 'the call' : method;
    const wanted = (message: SipMessage): boolean => isRequest(message) && message.method === method;
    return (await this.connection.inbox.take(what, wanted)) as SipRequest;
  }

  private reply(request: SipRequest, status: number, reason: string, tag = '', sdp = ''): void {
    const copied = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) =>
      headersOf(request, name).map((value): Header => [name, value]),
    );
    const to = headerOf(request, 'To');
    const headers: Header[] = [...copied, ['To', tag ? `${to};tag=${tag}` : to], ['Contact', this.contact]];
    if (sdp) headers.push(['Content-Type', 'application/sdp']);
    this.connection.send({ status, reason, headers, body: sdp });
  }

  /** A request of an established call, along the route that its answer recorded (RFC 3261 §12.2.1.1). */
  private within({ request, response }: SipCall, method: 'ACK' | 'BYE'): SipRequest {
    const route = headersOf(response, 'Record-Route').flatMap((value) => value.split(','));
    const invited = Number.parseInt(headerOf(request, 'CSeq'), 10);
    return compose(this.connection, method, uriOf(headerOf(response, 'Contact')), {
      from: headerOf(request, 'From'),
      to: headerOf(response, 'To'),
      callId: headerOf(request, 'Call-ID'),
      sequence: method === 'ACK' ? invited : invited + 1,
      headers: route.reverse().map((value): Header => ['Route', value.trim()]),
    });
  }

  private from(): string {
    return `<${this.address}>;tag=${token()}`;
  }

  private get contact(): string {
    const { local, transport } = this.connection;
    const port = local.port ? `:${local.port}` : '';
    const parameter = { udp: '', tcp: ';transport=tcp', tls: ';transport=tls', wss: ';transport=ws' }[transport];
    return `<sip:${this.account.username}@${local.address}${port}${parameter}>`;
  }
}

function compose({ local, transport }: SipConnection, method: string, uri: string, outline: Outline): SipRequest {
  const { from, to, callId = token(), sequence = 1, headers = [], body = '' } = outline;
  const sentBy = local.port ? `${local.address}:${local.port}` : local.address;
  return {
    method,
    uri,
    headers: [
      ['Via', `SIP/2.0/${transport.toUpperCase()} ${sentBy};rport;branch=z9hG4bK${token()}`],
      ['Max-Forwards', '70'],
      ['From', from],
      ['To', to],
      ['Call-ID', callId],
      ['CSeq', `${sequence} ${method}`],
      ...headers,
    ],
    body,
  };
}

/** Sends a request and gives its final answer. @throws ProbeError */
async function transact(connection: SipConnection, request: SipRequest): Promise<SipResponse> {
  const same = (name: string, other: SipMessage) => headerOf(other, name) === headerOf(request, name);
  const wanted = (message: SipMessage): boolean =>
    !isRequest(message) && message.status >= 200 && same('Call-ID', message) && same('CSeq', message);
  const stop = sendUntilStopped(connection, request);
  try {
    return (await connection.inbox.take(`an answer to ${request.method}`, wanted)) as SipResponse;
  } finally {
    stop();
  }
}

function sendUntilStopped(connection: SipConnection, request: SipRequest): () => void {
  let timer: NodeJS.Timeout | undefined;
  const send = (pauseMs: number): void => {
    connection.send(request);
    if (connection.unreliable) timer = setTimeout(() => send(Math.min(2 * pauseMs, T2_MS)), pauseMs);
  };
  send(T1_MS);
  return () => clearTimeout(timer);
}

/** The ACK of a refusal belongs to the transaction of its INVITE (RFC 3261 §17.1.1.3). */
function refusalTaken(request: SipRequest, response: SipResponse): SipRequest {
  const kept = request.headers.filter(([name]) => ['Via', 'From', 'Call-ID', 'Max-Forwards'].includes(name));
  const cseq = `${Number.parseInt(headerOf(request, 'CSeq'), 10)} ACK`;
  return {
    method: 'ACK',
    uri: request.uri,
    headers: [...kept, ['To', headerOf(response, 'To')], ['CSeq', cseq]],
    body: '',
  };
}

/** The header that answers a challenge (RFC 7616). @throws ProbeError when it asks for more than MD5 */
function digest(challenge: SipResponse, method: string, uri: string, { username, password }: SipAccount): Header {
  const proxy = challenge.status === 407;
  const value = headerOf(challenge, proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate');
  const field = (name: string): string => new RegExp(`${name}="?([^",]*)`).exec(value)?.[1] ?? '';
  if (!['', 'MD5'].includes(field('algorithm')))
    throw new ProbeError('unexpected', 'the server asks for another digest than MD5');
  const [realm, nonce, cnonce, nc] = [field('realm'), field('nonce'), token(), '00000001'];
  const secret = md5(`${username}:${realm}:${password}`);
  const response = md5(`${secret}:${nonce}:${nc}:${cnonce}:auth:${md5(`${method}:${uri}`)}`);
  return [
    proxy ? 'Proxy-Authorization' : 'Authorization',
    `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", ` +
      `algorithm=MD5, cnonce="${cnonce}", qop=auth, nc=${nc}`,
  ];
}

function required({ status, reason }: SipResponse): void {
  if (status >= 300) throw new ProbeError('rejected', `the call server answered ${status} ${reason}`);
}
