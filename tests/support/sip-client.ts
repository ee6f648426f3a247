import { createHash, randomBytes } from 'node:crypto';
import { platform } from './platform.js';
import {
  type Header,
  header,
  headersOf,
  isRequest,
  isResponse,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  tagOf,
  uriOf,
} from './sip-message.js';
import { openTransport, type Transport, type TransportName } from './sip-transport.js';
import { until } from './wait.js';

/**
 * A SIP client that does what it is told, also what no phone would: stories about refusals, retransmissions
 * and forgeries need that. Calls with media are told with real phones (sip-baresip.ts, sip-sipp.ts).
 */

/** Timers B and F: what has no final response by then will have none (RFC 3261, 17.1). */
const TRANSACTION_MS = 32_000;

export interface Credentials {
  username: string;
  password: string;
}

export interface RequestOptions {
  /** Address in From and To; the client's own in From, the target in To, when not given. */
  from?: string;
  to?: string;
  toTag?: string;
  callId?: string;
  fromTag?: string;
  /** Before the address in From, with its quotes. */
  displayName?: string;
  sequence?: number;
  branch?: string;
  headers?: Header[];
  body?: string;
  /** SDP when not given, none when empty. */
  contentType?: string;
  lengthUntold?: boolean;
  answerWithinMs?: number;
}

export type ReplyOptions = Pick<RequestOptions, 'headers' | 'body' | 'contentType' | 'lengthUntold'> & { tag?: string };

/** A request that was sent, and what came back for its transaction. */
export interface Exchange {
  request: SipRequest;
  readonly responses: SipResponse[];
}

const token = (): string => randomBytes(8).toString('hex');
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** Address of record of a user on the platform under test. */
export const addressOf = (username: string): string => `sip:${username}@${platform.domain}`;

/** An audio offer (or answer) that names a port on which nobody listens. */
export const audioDescription = (port = 40_000): string =>
  ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=audio ${port} RTP/AVP 0`, ''].join(
    '\r\n',
  );

export class SipClient {
  /** Nonces count their uses (RFC 7616, 3.4): answers to one challenge differ in nc. */
  private readonly uses = new Map<string, number>();
  /** Of the URI in the Contact, each with its semicolon: `;pn-provider=apns`. */
  contactParameters = '';
  /** Told of each message when it arrives. */
  onArrival: (message: SipMessage) => void = () => {};

  private constructor(
    readonly credentials: Credentials,
    readonly transport: Transport,
    readonly received: SipMessage[],
  ) {}

  static async open(credentials: Credentials, transport: TransportName = 'udp', address?: string): Promise<SipClient> {
    const received: SipMessage[] = [];
    const deliver = (message: SipMessage): void => {
      received.push(message);
      client.onArrival(message);
    };
    const connection = await openTransport(transport, deliver, address);
    const client = new SipClient(credentials, connection, received);
    return client;
  }

  close(): void {
    this.transport.close();
  }

  get address(): string {
    return addressOf(this.credentials.username);
  }

  get contact(): string {
    const { name, address, port } = this.transport;
    const parameters = { udp: '', tcp: ';transport=tcp', tls: ';transport=tls', wss: ';transport=ws' }[name];
    return `<sip:${this.credentials.username}@${address}${port ? `:${port}` : ''}${parameters}${this.contactParameters}>`;
  }

  /** Sends a request as it is, with no answer to a challenge. */
  send(method: string, uri: string, options: RequestOptions = {}): Exchange {
    const request = this.compose(method, uri, options);
    this.transport.send(request);
    return this.exchange(request);
  }

  /** Sends a request, answers the challenge if there is one, and returns the exchange that ends it. */
  async request(method: string, uri: string, options: RequestOptions = {}): Promise<Exchange & { final: SipResponse }> {
    const shared = { callId: token(), fromTag: token(), ...options };
    const first = this.send(method, uri, shared);
    const challenge = await this.final(first, options.answerWithinMs);
    if (challenge.status !== 401 && challenge.status !== 407) return { ...first, final: challenge };
    if (method === 'INVITE') this.acknowledge(first, challenge);
    const sequence = (options.sequence ?? 1) + 1;
    const authorization = this.answer(challenge, method, uri);
    const second = this.send(method, uri, {
      ...shared,
      sequence,
      headers: [...(options.headers ?? []), authorization],
    });
    const final = await this.final(second, options.answerWithinMs);
    if (method === 'INVITE' && final.status >= 300) this.acknowledge(second, final);
    return { ...second, final };
  }

  async register({ expires = 300, ...options }: RequestOptions & { expires?: number } = {}): Promise<SipResponse> {
    const headers: Header[] = [['Contact', this.contact], ['Expires', String(expires)], ...(options.headers ?? [])];
    const to = options.to ?? this.address;
    const { final } = await this.request('REGISTER', `sip:${platform.domain}`, { ...options, to, headers });
    return final;
  }

  /** The final response of a transaction. */
  final(exchange: Exchange, timeoutMs = TRANSACTION_MS): Promise<SipResponse> {
    const { request } = exchange;
    return until(
      `${this.credentials.username} has a final response to ${request.method}`,
      () => exchange.responses.find(({ status }) => status >= 200),
      { timeoutMs },
    );
  }

  /** The next request of that method which this client has not seen yet. */
  async incoming(method: string, timeoutMs = TRANSACTION_MS): Promise<SipRequest> {
    const request = await until(
      `${this.credentials.username} receives ${method}`,
      () => this.received.find((message): message is SipRequest => isRequest(message) && message.method === method),
      { timeoutMs },
    );
    this.received.splice(this.received.indexOf(request), 1);
    return request;
  }

  reply(request: SipRequest, status: number, options: ReplyOptions = {}): void {
    this.transport.send(this.composeReply(request, status, options));
  }

  composeReply(
    request: SipRequest,
    status: number,
    { body = '', tag = token(), contentType = 'application/sdp', headers: added = [], lengthUntold }: ReplyOptions = {},
  ): SipResponse {
    const copied = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) =>
      headersOf(request, name).map((value): Header => [name, value]),
    );
    const to = header(request, 'To');
    const headers: Header[] = [...copied, ['To', tagOf(request, 'To') ? to : `${to};tag=${tag}`]];
    if (request.method === 'INVITE' && status > 100 && status < 300) headers.push(['Contact', this.contact]);
    if (body && contentType) headers.push(['Content-Type', contentType]);
    return { status, headers: [...headers, ...added], body, lengthUntold };
  }

  /** Ends an INVITE transaction after a refusal: the ACK belongs to it (RFC 3261, 17.1.1.3). */
  acknowledge({ request }: Exchange, response: SipResponse): void {
    const headers = request.headers
      .filter(([name]) => ['Via', 'From', 'Call-ID', 'Max-Forwards', 'Route'].includes(name))
      .concat([
        ['To', header(response, 'To')],
        ['CSeq', `${Number.parseInt(header(request, 'CSeq'), 10)} ACK`],
      ]);
    this.transport.send({ method: 'ACK', uri: request.uri, headers, body: '' });
  }

  /** The request of an established call: sent along the route that the answer recorded. */
  withinCall(
    call: { request: SipRequest; final: SipResponse },
    method: string,
    { target = uriOf(header(call.final, 'Contact')), ...options }: RequestOptions & { target?: string } = {},
  ): Exchange {
    const routes = headersOf(call.final, 'Record-Route').flatMap((value) => value.split(','));
    const headers = routes.reverse().map((value): Header => ['Route', value.trim()]);
    return this.send(method, target, {
      from: uriOf(header(call.request, 'From')),
      to: uriOf(header(call.final, 'To')),
      fromTag: tagOf(call.request, 'From'),
      toTag: tagOf(call.final, 'To'),
      callId: header(call.request, 'Call-ID'),
      sequence: Number.parseInt(header(call.request, 'CSeq'), 10) + (method === 'ACK' ? 0 : 1),
      ...options,
      headers: [...headers, ...(options.headers ?? [])],
    });
  }

  /** The header that answers a digest challenge. */
  answer(challenge: SipResponse, method: string, uri: string, password = this.credentials.password): Header {
    const proxy = challenge.status === 407;
    const value = header(challenge, proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate');
    const field = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(value)?.[1] ?? '';
    const [realm, nonce] = [field('realm'), field('nonce')];
    const uses = (this.uses.get(nonce) ?? 0) + 1;
    this.uses.set(nonce, uses);
    const nc = uses.toString(16).padStart(8, '0');
    const cnonce = token();
    const ha1 = md5(`${this.credentials.username}:${realm}:${password}`);
    const response = md5(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${md5(`${method}:${uri}`)}`);
    return [
      proxy ? 'Proxy-Authorization' : 'Authorization',
      `Digest username="${this.credentials.username}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
        `response="${response}", algorithm=MD5, cnonce="${cnonce}", qop=auth, nc=${nc}`,
    ];
  }

  private compose(method: string, uri: string, options: RequestOptions): SipRequest {
    const { name, address, port } = this.transport;
    const sentBy = port ? `${address}:${port}` : address;
    const {
      from = this.address,
      displayName = '',
      to = uri,
      toTag,
      body = '',
      contentType = 'application/sdp',
    } = options;
    const headers: Header[] = [
      ['Via', `SIP/2.0/${name.toUpperCase()} ${sentBy};rport;branch=${options.branch ?? `z9hG4bK${token()}`}`],
      ['Max-Forwards', '70'],
      ['From', `${displayName}<${from}>;tag=${options.fromTag ?? token()}`],
      ['To', toTag ? `<${to}>;tag=${toTag}` : `<${to}>`],
      ['Call-ID', options.callId ?? token()],
      ['CSeq', `${options.sequence ?? 1} ${method}`],
      ...(options.headers ?? []),
    ];
    if (method === 'INVITE') headers.push(['Contact', this.contact]);
    if (body && contentType) headers.push(['Content-Type', contentType]);
    return { method, uri, headers, body, lengthUntold: options.lengthUntold };
  }

  private exchange(request: SipRequest): Exchange {
    const { received } = this;
    const same = (name: string, other: SipMessage) => header(other, name) === header(request, name);
    return {
      request,
      get responses() {
        return received.filter(isResponse).filter((response) => same('Call-ID', response) && same('CSeq', response));
      },
    };
  }
}
