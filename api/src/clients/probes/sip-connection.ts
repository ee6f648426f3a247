import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type WebSocket from 'ws';
import { type Certificate, certificateOf } from './certificate.js';
import { Inbox } from './inbox.js';
import { ProbeError } from './probe-error.js';
import { cut, format, parse, type SipMessage } from './sip-message.js';
import {
  type Deadline,
  type Endpoint,
  onEnd,
  openTcp,
  openTls,
  openWebSocket,
  type Trust,
  UdpPort,
} from './sockets.js';

export type SipTransport = 'udp' | 'tcp' | 'tls' | 'wss';

/** Where a SIP server listens; for `wss` by its URL. `name` is what its certificate has to be for. */
export type SipTarget =
  | ({ transport: 'udp' | 'tcp' } & Endpoint)
  | ({ transport: 'tls'; name: string } & Endpoint)
  | { transport: 'wss'; url: string };

/** One way to a SIP server. */
export class SipConnection {
  private constructor(
    readonly transport: SipTransport,
    /** What the other side may know of us: a browser knows neither its address nor its port (RFC 7118 §5). */
    readonly local: { address: string; port: number | undefined },
    readonly inbox: Inbox<SipMessage>,
    readonly certificate: Certificate | undefined,
    private readonly line: { write(text: string): void; end(): void },
  ) {}

  /** @throws ProbeError */
  static async open(target: SipTarget, trust: Trust, deadline: Deadline): Promise<SipConnection> {
    const inbox = new Inbox<SipMessage>(deadline);
    switch (target.transport) {
      case 'udp':
        return SipConnection.onUdp(await UdpPort.connect(target, deadline), inbox);
      case 'tcp':
        return SipConnection.onStream('tcp', await openTcp(target, deadline), inbox);
      case 'tls': {
        const socket = await openTls(target, target.name, trust, deadline);
        return SipConnection.onStream('tls', socket, inbox, certificateOf(socket, target.name));
      }
      case 'wss': {
        const { socket, transport } = await openWebSocket(target.url, 'sip', trust, deadline);
        return SipConnection.onWebSocket(socket, transport, new URL(target.url).hostname, inbox);
      }
    }
  }

  /** Whether what is sent may get lost, so that whoever waits for an answer has to repeat himself. */
  get unreliable(): boolean {
    return this.transport === 'udp';
  }

  send(message: SipMessage): void {
    this.line.write(format(message));
  }

  close(): void {
    this.line.end();
  }

  private static onUdp(port: UdpPort, inbox: Inbox<SipMessage>): SipConnection {
    port.onMessage((datagram) => receive(inbox, datagram.toString()));
    port.onError((error) => inbox.fail(error));
    const line = { write: (text: string) => port.send(text), end: () => port.close() };
    return new SipConnection('udp', port.local, inbox, undefined, line);
  }

  private static onStream(
    transport: 'tcp' | 'tls',
    socket: Socket,
    inbox: Inbox<SipMessage>,
    certificate?: Certificate,
  ): SipConnection {
    let pending = '';
    // Latin-1: a character is a byte, as Content-Length counts them.
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      const { texts, rest } = cut(pending + chunk);
      pending = rest;
      for (const text of texts) receive(inbox, text);
      if (/^.*\r\n/.test(rest) && !/^(SIP\/2\.0 |[A-Z]+ \S+ SIP\/2\.0\r)/.test(rest)) inbox.fail(notSip());
    });
    onEnd(socket, (error) => inbox.fail(error));
    const local = { address: socket.localAddress ?? '', port: socket.localPort };
    return new SipConnection(transport, local, inbox, certificate, {
      write: (text) => socket.write(text),
      end: () => socket.destroy(),
    });
  }

  private static onWebSocket(
    socket: WebSocket,
    transport: Socket,
    host: string,
    inbox: Inbox<SipMessage>,
  ): SipConnection {
    socket.on('message', (frame) => receive(inbox, frame.toString()));
    onEnd(transport, (error) => inbox.fail(error));
    const certificate = transport instanceof TLSSocket ? certificateOf(transport, host) : undefined;
    const line = { write: (text: string) => socket.send(text), end: () => socket.terminate() };
    return new SipConnection('wss', { address: 'browser.invalid', port: undefined }, inbox, certificate, line);
  }
}

const notSip = () => new ProbeError('unexpected', 'what answers there does not speak SIP');

function receive(inbox: Inbox<SipMessage>, text: string): void {
  // Keep-alives (RFC 5626 §3.5) are blank.
  if (text.trim() === '') return;
  const message = parse(text);
  if (message) inbox.put(message);
  else inbox.fail(notSip());
}
