import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Element, escapeXML, Parser } from '@xmpp/xml';
import type WebSocket from 'ws';
import { type Certificate, certificateOf } from './certificate.js';
import { Inbox } from './inbox.js';
import { ProbeError } from './probe-error.js';
import { type Deadline, type Endpoint, onEnd, openTcp, openTls, openWebSocket, secure, type Trust } from './sockets.js';

const STREAMS = 'http://etherx.jabber.org/streams';
const FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';
const TLS = 'urn:ietf:params:xml:ns:xmpp-tls';
/** XEP-0368 §3. */
const ALPN = ['xmpp-client'];

/** A client's XMPP stream (RFC 6120) over TLS: what the server sends, element by element. */
export abstract class XmppStream {
  /** What the server offers at this point of the negotiation. */
  features!: Element;
  abstract readonly certificate: Certificate;
  protected inbox: Inbox<Element>;

  constructor(
    readonly domain: string,
    protected readonly deadline: Deadline,
  ) {
    this.inbox = new Inbox(deadline);
  }

  /** With direct TLS (XEP-0368). @throws ProbeError */
  static async overTls(endpoint: Endpoint, domain: string, trust: Trust, deadline: Deadline): Promise<XmppStream> {
    return new SocketStream(await openTls(endpoint, domain, trust, deadline, ALPN), domain, deadline).opened();
  }

  /** Beginning without TLS, which the server must ask for. @throws ProbeError */
  static async overStartTls(endpoint: Endpoint, domain: string, trust: Trust, deadline: Deadline): Promise<XmppStream> {
    const plain = await new SocketStream(await openTcp(endpoint, deadline), domain, deadline).opened();
    return plain.startTls(trust);
  }

  /** In WebSocket frames (RFC 7395). @throws ProbeError */
  static async overWebSocket(url: string, domain: string, trust: Trust, deadline: Deadline): Promise<XmppStream> {
    const { socket, transport } = await openWebSocket(url, 'xmpp', trust, deadline);
    return new WebSocketStream(socket, transport, new URL(url).hostname, domain, deadline).opened();
  }

  abstract send(element: Element): void;
  abstract close(): void;
  protected abstract sendOpening(): void;

  /** The next element that `accepts` does. @throws ProbeError */
  take(what: string, accepts: (element: Element) => boolean): Promise<Element> {
    return this.inbox.take(what, accepts);
  }

  /** Opens the stream, again after each step that begins it anew. @throws ProbeError */
  async open(): Promise<void> {
    this.sendOpening();
    this.features = await this.take('the greeting of an XMPP server', (element) => element.is('features'));
  }

  async opened(): Promise<this> {
    try {
      await this.open();
      return this;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  protected receive(element: Element): void {
    if (element.is('error', STREAMS)) {
      const condition = element.getChildElements()[0]?.getName() ?? 'an error';
      this.inbox.fail(new ProbeError('rejected', `the chat server ended the stream: ${condition}`));
    } else this.inbox.put(element);
  }
}

class SocketStream extends XmppStream {
  private parser = new Parser();

  constructor(
    private socket: Socket,
    domain: string,
    deadline: Deadline,
  ) {
    super(domain, deadline);
    this.listen();
  }

  get certificate(): Certificate {
    if (this.socket instanceof TLSSocket) return certificateOf(this.socket, this.domain);
    throw new Error('the stream is not encrypted');
  }

  async startTls(trust: Trust): Promise<this> {
    try {
      if (!this.features.getChild('starttls', TLS)) throw new ProbeError('unexpected', 'the server offers no TLS');
      this.socket.write(`<starttls xmlns='${TLS}'/>`);
      await this.take('the permission to start TLS', (element) => element.is('proceed', TLS));
      this.socket.removeAllListeners('data');
      this.inbox = new Inbox(this.deadline);
      this.socket = await secure(this.socket, this.domain, trust, this.deadline);
      this.listen();
      return await this.opened();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  send(element: Element): void {
    this.socket.write(element.toString());
  }

  close(): void {
    this.socket.destroy();
  }

  protected sendOpening(): void {
    const { parser, socket } = this.renewParser();
    parser.on('error', () => this.inbox.fail(new ProbeError('unexpected', 'what answers there does not speak XMPP')));
    socket.write(
      `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='${STREAMS}' ` +
        `to='${escapeXML(this.domain)}' version='1.0'>`,
    );
  }

  /** Each opening is a document of its own. */
  private renewParser(): { parser: Parser; socket: Socket } {
    this.parser = new Parser();
    this.parser.on('element', (element: Element) => this.receive(element));
    return { parser: this.parser, socket: this.socket };
  }

  private listen(): void {
    this.socket.setEncoding('utf8').on('data', (text: string) => this.parser.write(text));
    onEnd(this.socket, (error) => this.inbox.fail(error));
  }
}

class WebSocketStream extends XmppStream {
  readonly certificate: Certificate;

  constructor(
    private readonly socket: WebSocket,
    transport: Socket,
    host: string,
    domain: string,
    deadline: Deadline,
  ) {
    super(domain, deadline);
    if (!(transport instanceof TLSSocket)) throw new ProbeError('not_tls', 'the WebSocket is not encrypted');
    this.certificate = certificateOf(transport, host);
    socket.on('message', (frame) => this.parse(frame.toString()));
    onEnd(transport, (error) => this.inbox.fail(error));
  }

  send(element: Element): void {
    this.socket.send(element.toString());
  }

  close(): void {
    this.socket.terminate();
  }

  protected sendOpening(): void {
    this.socket.send(`<open xmlns='${FRAMING}' to='${escapeXML(this.domain)}' version='1.0'/>`);
  }

  /** Each frame is a document of its own: its root is the element. */
  private parse(frame: string): void {
    const parser = new Parser();
    let root: Element | undefined;
    parser.on('start', (element: Element) => {
      root = element;
    });
    parser.on('element', (element: Element) => root?.append(element));
    parser.on('end', () => root && this.receive(root));
    parser.on('error', () => this.inbox.fail(new ProbeError('unexpected', 'a frame there is not XML')));
    parser.write(frame);
  }
}
