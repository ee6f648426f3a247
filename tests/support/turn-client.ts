import {
  Attribute,
  attributeOf,
  Class,
  decode,
  type Endpoint,
  encode,
  endpointIn,
  errorCodeOf,
  isSignedWith,
  longTermKey,
  Method,
  newTransaction,
  number32,
  type TurnMessage,
  xorAddress,
} from './turn-message.js';
import { openTurnTransport, type TurnTransport } from './turn-transport.js';
import { until } from './wait.js';

export interface TurnCredentials {
  username: string;
  password: string;
}

export interface AllocateOptions {
  /** Address family of the relay: 1 IPv4, 2 IPv6. */
  family?: 1 | 2;
  /** Protocol between relay and peer: 17 UDP, 6 TCP (RFC 6062). */
  protocol?: 17 | 6;
}

/** What came from a peer, through the relay. */
export interface Relayed {
  from: Endpoint | { channel: number };
  data: Buffer;
}

/** The server's refusal, e.g. 403. */
export class TurnError extends Error {
  constructor(
    readonly code: number,
    readonly method: number,
  ) {
    super(`TURN method ${method} was refused: ${code}`);
  }
}

type Attributes = (transaction: Buffer) => TurnMessage['attributes'];

const UNAUTHENTICATED = 401;
const STALE_NONCE = 438;
const ANSWER_WITHIN_MS = 5_000;

/** A TURN client that does what it is told, also what no browser would: ask for peers that are none of its business. */
export class TurnClient {
  readonly received: Relayed[] = [];
  private readonly pending = new Map<string, (response: Buffer) => void>();
  private transport!: TurnTransport;
  private challenge?: { realm: Buffer; nonce: Buffer };

  private constructor(private readonly credentials?: TurnCredentials) {}

  /** Connects as the URI says, e.g. `turns:localhost:5349?transport=tcp`; without credentials anonymously. */
  static async connect(uri: string, credentials?: TurnCredentials): Promise<TurnClient> {
    const client = new TurnClient(credentials);
    client.transport = await openTurnTransport(uri, (bytes) => client.take(bytes));
    return client;
  }

  close(): void {
    this.transport.close();
  }

  /** Our own address as the server sees it: STUN, for everybody. */
  async bind(): Promise<Endpoint> {
    const response = await this.exchange(Method.binding, () => []);
    return endpointIn(attributeOf(response, Attribute.xorMappedAddress)!, response.transaction);
  }

  /** Opens a relay and resolves with its address. @throws TurnError */
  async allocate({ family, protocol = 17 }: AllocateOptions = {}): Promise<Endpoint> {
    const attributes: TurnMessage['attributes'] = [[Attribute.requestedTransport, Buffer.from([protocol, 0, 0, 0])]];
    if (family) attributes.push([Attribute.requestedAddressFamily, Buffer.from([family, 0, 0, 0])]);
    const response = await this.request(Method.allocate, () => attributes);
    return endpointIn(attributeOf(response, Attribute.xorRelayedAddress)!, response.transaction);
  }

  /** Lets the peer's packets in, and ours out to it. @throws TurnError */
  async permit(peer: Endpoint): Promise<void> {
    await this.request(Method.createPermission, (id) => [[Attribute.xorPeerAddress, xorAddress(peer, id)]]);
  }

  /** @throws TurnError */
  async bindChannel(channel: number, peer: Endpoint): Promise<void> {
    await this.request(Method.channelBind, (id) => [
      [Attribute.channelNumber, number32(channel * 0x10000)],
      [Attribute.xorPeerAddress, xorAddress(peer, id)],
    ]);
  }

  /** Closes the relay. @throws TurnError */
  async release(): Promise<void> {
    await this.request(Method.refresh, () => [[Attribute.lifetime, number32(0)]]);
  }

  send(peer: Endpoint, data: Buffer): void {
    const transaction = newTransaction();
    const attributes: TurnMessage['attributes'] = [
      [Attribute.xorPeerAddress, xorAddress(peer, transaction)],
      [Attribute.data, data],
    ];
    this.transport.send(encode({ method: Method.send, class: Class.indication, transaction, attributes }));
  }

  sendOnChannel(channel: number, data: Buffer): void {
    const start = Buffer.alloc(4);
    start.writeUInt16BE(channel, 0);
    start.writeUInt16BE(data.length, 2);
    this.transport.send(Buffer.concat([start, data]));
  }

  /** Waits for that data to come through the relay. */
  receive(data: Buffer): Promise<Relayed> {
    return until('the data comes through the relay', () => this.received.find((one) => one.data.equals(data)));
  }

  /** A request with credentials, after the challenge that tells realm and nonce (RFC 8489, 9.2). */
  private async request(method: number, attributes: Attributes): Promise<TurnMessage> {
    for (let attempt = 0; ; attempt += 1) {
      const response = await this.exchange(method, attributes);
      const code = errorCodeOf(response);
      if (code === 0) return response;
      const isChallenge = (code === UNAUTHENTICATED && !this.challenge) || code === STALE_NONCE;
      if (!isChallenge || !this.credentials || attempt > 2) throw new TurnError(code, method);
      this.challenge = {
        realm: attributeOf(response, Attribute.realm)!,
        nonce: attributeOf(response, Attribute.nonce)!,
      };
    }
  }

  private async exchange(method: number, attributesFor: Attributes): Promise<TurnMessage> {
    const transaction = newTransaction();
    const key = this.key();
    const attributes = [...attributesFor(transaction), ...this.identity()];
    const answer = this.responseTo(transaction, method);
    this.transport.send(encode({ method, class: Class.request, transaction, attributes }, key));
    const bytes = await answer;
    const response = decode(bytes);
    if (key && response.class === Class.success && !isSignedWith(key, bytes)) {
      throw new Error(`the answer to method ${method} is not the server's`);
    }
    return response;
  }

  private responseTo(transaction: Buffer, method: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const unanswered = () => reject(new Error(`TURN method ${method} was not answered`));
      const deadline = setTimeout(unanswered, ANSWER_WITHIN_MS);
      this.pending.set(transaction.toString('hex'), (response) => {
        clearTimeout(deadline);
        resolve(response);
      });
    });
  }

  private identity(): TurnMessage['attributes'] {
    if (!this.challenge || !this.credentials) return [];
    return [
      [Attribute.username, Buffer.from(this.credentials.username)],
      [Attribute.realm, this.challenge.realm],
      [Attribute.nonce, this.challenge.nonce],
    ];
  }

  private key(): Buffer | undefined {
    if (!this.challenge || !this.credentials) return undefined;
    const { username, password } = this.credentials;
    return longTermKey(username, this.challenge.realm.toString(), password);
  }

  private take(bytes: Buffer): void {
    if (bytes.readUInt8(0) >= 0x40) {
      const data = bytes.subarray(4, 4 + bytes.readUInt16BE(2));
      this.received.push({ from: { channel: bytes.readUInt16BE(0) }, data });
      return;
    }
    const message = decode(bytes);
    if (message.class === Class.indication) this.takeData(message);
    else this.pending.get(message.transaction.toString('hex'))?.(bytes);
  }

  private takeData(message: TurnMessage): void {
    const peer = attributeOf(message, Attribute.xorPeerAddress)!;
    const data = attributeOf(message, Attribute.data)!;
    this.received.push({ from: endpointIn(peer, message.transaction), data });
  }
}
