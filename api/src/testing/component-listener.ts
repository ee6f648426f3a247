import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const OPENING = `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='4711'>`;

/** The component listener of a chat server (XEP-0114) on loopback, which does what the test says. */
export class ComponentListener {
  /** All that has come on the newest connection. */
  received = '';
  /** How many connections were made. */
  connections = 0;
  /** Whether it lets components in by itself. */
  welcoming = true;
  private socket: Socket | undefined;

  private constructor(
    private readonly server: Server,
    private readonly secret: string,
  ) {
    server.on('connection', (socket) => this.meet(socket));
  }

  static async start(secret: string, port = 0): Promise<ComponentListener> {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new ComponentListener(server, secret);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  send(xml: string): void {
    this.socket?.write(xml);
  }

  /** The connection breaks. */
  cut(): void {
    this.socket?.destroy();
  }

  /** Takes nothing more from the component. */
  freeze(): void {
    this.socket?.pause();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private meet(socket: Socket): void {
    this.connections += 1;
    this.received = '';
    this.socket = socket;
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (text: string) => this.receive(socket, text));
  }

  private receive(socket: Socket, text: string): void {
    const before = this.received;
    this.received += text;
    const now = (pattern: RegExp) => pattern.test(this.received) && !pattern.test(before);
    if (now(/<stream:stream[^>]*>/)) socket.write(OPENING);
    if (now(/<\/handshake>/) && this.welcoming) this.answerHandshake(socket);
    if (now(/<\/stream:stream>/)) socket.end('</stream:stream>');
  }

  private answerHandshake(socket: Socket): void {
    const right = createHash('sha1').update(`4711${this.secret}`).digest('hex');
    if (this.received.includes(`<handshake>${right}</handshake>`)) socket.write('<handshake/>');
    else socket.end("<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
  }
}
