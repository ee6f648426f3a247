import { createHash } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import WebSocket from 'ws';
import { toPlatform } from './https.js';
import { certificateAuthority, platform } from './platform.js';
import { until } from './wait.js';
import { Scram } from './xmpp-scram.js';

const STREAM = "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'";
const SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
const FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';

/** Nobody listens longer to a stream that says nothing. */
const PATIENCE_MS = 30_000;

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string): string => Buffer.from(text, 'base64').toString();

/** What is common to an XMPP stream on a socket and one in WebSocket frames: text out, text in. */
abstract class Wire {
  /** True once the server has closed the connection. */
  ended = false;
  private inbox = '';

  abstract write(xml: string): void;
  abstract close(): void;

  /** Waits for the pattern in what has arrived, and takes everything up to its end. */
  async read(pattern: RegExp): Promise<RegExpExecArray> {
    await until(`${pattern} arrives`, () => this.ended || pattern.test(this.inbox), {
      timeoutMs: PATIENCE_MS,
    });
    const found = pattern.exec(this.inbox);
    if (!found) throw new Error(`the server ended the stream before ${pattern}: ${this.inbox}`);
    this.inbox = this.inbox.slice(found.index + found[0].length);
    return found;
  }

  protected receive(text: string): void {
    this.inbox += text;
  }

  /** Authenticates with SCRAM-SHA-256; resolves with the condition of the failure, or null. */
  async authenticate(username: string, password: string): Promise<string | null> {
    const scram = new Scram(username, password);
    this.write(`<auth ${SASL} mechanism='SCRAM-SHA-256'>${encode(scram.first())}</auth>`);
    const challenge = await this.read(/<challenge[^>]*>([^<]*)<\/challenge>|<failure[^>]*><([\w-]+)/);
    if (challenge[2]) return challenge[2];
    this.write(`<response ${SASL}>${encode(scram.final(decode(challenge[1]!)))}</response>`);
    const outcome = await this.read(/<success[^>]*>([^<]*)<\/success>|<failure[^>]*><([\w-]+)/);
    if (outcome[2]) return outcome[2];
    scram.verify(decode(outcome[1]!));
    return null;
  }

  /** Binds a resource (RFC 6120 §7); resolves with the condition of the refusal, or null. */
  async bind(resource: string): Promise<string | null> {
    const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind>`;
    this.write(`<iq xmlns='jabber:client' type='set' id='bind'>${bind}</iq>`);
    const [, condition] = await this.read(/<jid>[^<]+<\/jid>|<error[^>]*><([\w-]+)/);
    return condition ?? null;
  }
}

/** A stream on a socket. */
abstract class SocketWire extends Wire {
  constructor(private socket: Socket) {
    super();
    this.attach(socket);
  }

  write(xml: string): void {
    this.socket.write(xml);
  }

  close(): void {
    this.socket.destroy();
  }

  protected encrypt(): void {
    this.socket.removeAllListeners('data');
    this.socket = connectTls({ socket: this.socket, servername: platform.domain, ca: certificateAuthority() });
    this.attach(this.socket);
  }

  private attach(socket: Socket): void {
    socket.on('data', (data: Buffer) => this.receive(data.toString()));
    // The stories look at what the server said and that it closed; how the socket broke tells nothing more.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
    });
  }
}

/** A client stream by hand, for what no client library would do: look before TLS, try PLAIN, fail on purpose. */
export class XmppStream extends SocketWire {
  /** `from`: the address to connect from, any of 127.0.0.0/8. */
  static connect({ from }: { from?: string } = {}): XmppStream {
    const { host, ports } = platform;
    return new XmppStream(connectTcp({ host, port: ports.xmpp, localAddress: from }));
  }

  /** Opens the stream (again), and resolves with the features that are offered. */
  async open(): Promise<string> {
    this.write(`<stream:stream xmlns='jabber:client' to='${platform.domain}' ${STREAM}>`);
    const [, features] = await this.read(/<stream:features>(.*?)<\/stream:features>/s);
    return features!;
  }

  async startTls(): Promise<void> {
    this.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    await this.read(/<proceed[^>]*>/);
    this.encrypt();
  }
}

/** A component's stream (XEP-0114): a server beside the server, known by its secret. */
export class XmppComponent extends SocketWire {
  /** Connects and shakes hands; rejects with the stream's error when the secret is wrong. */
  static async connect(name: string, secret: string): Promise<XmppComponent> {
    const component = new XmppComponent(connectTcp({ host: '127.0.0.1', port: platform.ports.xmppComponent }));
    component.write(`<stream:stream xmlns='jabber:component:accept' to='${name}' ${STREAM}>`);
    const [, id] = await component.read(/<stream:stream[^>]* id='([^']+)'[^>]*>/);
    component.write(`<handshake>${createHash('sha1').update(`${id}${secret}`).digest('hex')}</handshake>`);
    const [answer, condition] = await component.read(/<handshake[^>]*>|<stream:error><([\w-]+)/);
    if (answer.startsWith('<handshake')) return component;
    component.close();
    throw new Error(`the handshake was refused: ${condition}`);
  }
}

/** A stream in WebSocket frames (RFC 7395), as browsers speak it. */
export class XmppWebSocket extends Wire {
  private constructor(private readonly socket: WebSocket) {
    super();
    socket.on('message', (data) => this.receive(data.toString()));
    socket.on('close', () => {
      this.ended = true;
    });
  }

  static connect(port: number, from?: string): Promise<XmppWebSocket> {
    const socket = new WebSocket(`wss://${platform.domain}:${port}/ws`, 'xmpp', {
      ca: certificateAuthority(),
      lookup: toPlatform,
      localAddress: from,
    });
    const stream = new XmppWebSocket(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(stream));
      socket.once('error', reject);
    });
  }

  async open(): Promise<string> {
    this.write(`<open xmlns='${FRAMING}' to='${platform.domain}' version='1.0'/>`);
    const [, features] = await this.read(/<stream:features[^>]*>(.*?)<\/stream:features>/s);
    return features!;
  }

  write(xml: string): void {
    this.socket.send(xml);
  }

  close(): void {
    this.socket.terminate();
  }
}
