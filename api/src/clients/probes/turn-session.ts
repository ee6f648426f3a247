import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Certificate, certificateOf } from './certificate.js';
import { Inbox } from './inbox.js';
import { explain, ProbeError } from './probe-error.js';
import { type Deadline, type Endpoint, onEnd, openTcp, openTls, type Trust, UdpPort } from './sockets.js';
import {
  Attribute,
  type AttributeList,
  attributeOf,
  Class,
  decode,
  encode,
  endpointIn,
  errorCodeOf,
  isSignedWith,
  longTermKey,
  Method,
  type StunMessage,
  sizeOf,
  xorAddress,
} from './stun-message.js';

export type TurnTransport = 'udp' | 'tcp' | 'tls';

/** Where a TURN server listens; by TLS the certificate has to be for `host`. */
export interface TurnTarget extends Endpoint {
  transport: TurnTransport;
}

export interface TurnCredentials {
  username: string;
  password: string;
}

/** The server said no: 401 to credentials, 403 to a peer, 486 to one allocation too many (RFC 8656). */
export class TurnRefusal extends ProbeError {
  constructor(readonly code: number) {
    super('rejected', `the relay refused (${code})`);
  }
}

const UNAUTHENTICATED = 401;
const STALE_NONCE = 438;
const UDP_PROTOCOL = Buffer.from([17, 0, 0, 0]);
/** RFC 8489 §6.2.1. */
const FIRST_PAUSE_MS = 500;

/** A message, and the bytes that it was signed as. */
interface Arrived extends StunMessage {
  bytes: Buffer;
}

interface Line {
  certificate?: Certificate;
  /** Whether what is sent may get lost. */
  unreliable: boolean;
  write(message: Buffer): void;
  close(): void;
}

/** A client of a STUN and TURN server: without credentials for everybody's part of it. */
export class TurnSession {
  private challenge: { realm: Buffer; nonce: Buffer } | undefined;

  private constructor(
    private readonly line: Line,
    private readonly inbox: Inbox<Arrived>,
    private readonly credentials: TurnCredentials | undefined,
  ) {}

  /** @throws ProbeError */
  static async open(
    target: TurnTarget,
    trust: Trust,
    deadline: Deadline,
    credentials?: TurnCredentials,
  ): Promise<TurnSession> {
    const inbox = new Inbox<Arrived>(deadline);
    const line = await openLine(target, trust, deadline, inbox);
    return new TurnSession(line, inbox, credentials);
  }

  get certificate(): Certificate | undefined {
    return this.line.certificate;
  }

  /** Our own address as the server sees it (RFC 8489 §2). @throws ProbeError */
  async bind(): Promise<Endpoint> {
    const response = await this.exchange(Method.binding, []);
    return required(endpointIn(attributeOf(response, Attribute.xorMappedAddress)));
  }

  /** Opens a relay, and gives its address. @throws ProbeError */
  async allocate(): Promise<Endpoint> {
    const response = await this.request(Method.allocate, [[Attribute.requestedTransport, UDP_PROTOCOL]]);
    return required(endpointIn(attributeOf(response, Attribute.xorRelayedAddress)));
  }

  /** Lets the peer's packets in, and ours out to it. @throws ProbeError */
  async permit(peer: Endpoint): Promise<void> {
    await this.request(Method.createPermission, [[Attribute.xorPeerAddress, xorAddress(peer)]]);
  }

  /** Has the relay send to a permitted peer. */
  send(peer: Endpoint, data: Buffer): void {
    const attributes: AttributeList = [
      [Attribute.xorPeerAddress, xorAddress(peer)],
      [Attribute.data, data],
    ];
    this.line.write(encode({ method: Method.send, class: Class.indication, transaction: randomBytes(12), attributes }));
  }

  /** Resolves when a peer's packet of that content has come through the relay. @throws ProbeError */
  async received(data: Buffer): Promise<void> {
    const isIt = (message: Arrived): boolean => attributeOf(message, Attribute.data)?.equals(data) === true;
    await this.inbox.take('the data of the peer', isIt);
  }

  /** Closes the relay, which would live on for minutes. @throws ProbeError */
  async release(): Promise<void> {
    await this.request(Method.refresh, [[Attribute.lifetime, Buffer.alloc(4)]]);
  }

  close(): void {
    this.line.close();
  }

  /** A request with our credentials, as the server asks for them (RFC 8489 §9.2). */
  private async request(method: number, attributes: AttributeList): Promise<StunMessage> {
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.exchange(method, attributes);
      if (response.class === Class.success) return response;
      const code = errorCodeOf(response);
      const asked = (code === UNAUTHENTICATED && !this.challenge) || code === STALE_NONCE;
      const realm = attributeOf(response, Attribute.realm);
      const nonce = attributeOf(response, Attribute.nonce);
      if (!asked || !realm || !nonce || !this.credentials || attempt > 2) throw new TurnRefusal(code);
      this.challenge = { realm, nonce };
    }
  }

  private async exchange(method: number, attributes: AttributeList): Promise<StunMessage> {
    const transaction = randomBytes(12);
    const key = this.key();
    const message = { method, class: Class.request, transaction, attributes: [...attributes, ...this.identity()] };
    const stop = this.sendUntilStopped(encode(message, key));
    try {
      const isAnswer = (arrived: Arrived): boolean => arrived.transaction.equals(transaction);
      const response = await this.inbox.take('the answer of the relay', isAnswer);
      if (key && response.class === Class.success && !isSignedWith(key, response.bytes)) throw notItsOwn();
      return response;
    } finally {
      stop();
    }
  }

  private sendUntilStopped(message: Buffer): () => void {
    let timer: NodeJS.Timeout | undefined;
    const send = (pauseMs: number): void => {
      this.line.write(message);
      if (this.line.unreliable) timer = setTimeout(() => send(2 * pauseMs), pauseMs);
    };
    send(FIRST_PAUSE_MS);
    return () => clearTimeout(timer);
  }

  private identity(): AttributeList {
    if (!this.challenge || !this.credentials) return [];
    const { realm, nonce } = this.challenge;
    return [
      [Attribute.username, Buffer.from(this.credentials.username)],
      [Attribute.realm, realm],
      [Attribute.nonce, nonce],
    ];
  }

  private key(): Buffer | undefined {
    if (!this.challenge || !this.credentials) return undefined;
    const { username, password } = this.credentials;
    return longTermKey(username, this.challenge.realm.toString(), password);
  }
}

const notItsOwn = () => new ProbeError('unexpected', 'the answer does not prove that the relay knows the credentials');

function required(endpoint: Endpoint | undefined): Endpoint {
  if (!endpoint) throw new ProbeError('unexpected', 'the relay gives no IPv4 address');
  return endpoint;
}

async function openLine(target: TurnTarget, trust: Trust, deadline: Deadline, inbox: Inbox<Arrived>): Promise<Line> {
  if (target.transport === 'udp') return datagrams(await UdpPort.connect(target, deadline), inbox);
  if (target.transport === 'tcp') return stream(await openTcp(target, deadline), inbox);
  const socket = await openTls(target, target.host, trust, deadline);
  const line = stream(socket, inbox);
  return socket instanceof TLSSocket ? { ...line, certificate: certificateOf(socket, target.host) } : line;
}

function datagrams(port: UdpPort, inbox: Inbox<Arrived>): Line {
  port.onMessage((bytes) => failing(inbox, () => inbox.put({ ...decode(bytes), bytes })));
  port.onError((error) => inbox.fail(error));
  return { unreliable: true, write: (message) => port.send(message), close: () => port.close() };
}

function stream(socket: Socket, inbox: Inbox<Arrived>): Line {
  let pending: Buffer = Buffer.alloc(0);
  const takeWhole = (): void => {
    for (let size = sizeOf(pending); size <= pending.length; size = sizeOf(pending)) {
      const bytes = pending.subarray(0, size);
      pending = pending.subarray(size);
      inbox.put({ ...decode(bytes), bytes });
    }
  };
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    failing(inbox, takeWhole);
  });
  onEnd(socket, (error) => inbox.fail(error));
  return { unreliable: false, write: (message) => void socket.write(message), close: () => void socket.destroy() };
}

/** What is not STUN ends it all: whoever answers there is somebody else. */
function failing(inbox: Inbox<Arrived>, read: () => void): void {
  try {
    read();
  } catch (error) {
    inbox.fail(explain(error));
  }
}
