import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import WebSocket from 'ws';
import { explain, ProbeError } from './probe-error.js';

/** Where a server listens: a host name or an address, and a port. */
export interface Endpoint {
  host: string;
  port: number;
}

/** How the other end of a TLS connection is judged. */
export interface Trust {
  /** Those who are trusted to sign certificates. */
  authorities: SecureContext;
  /** False only to look at a certificate: no secret may then be sent. */
  verify: boolean;
}

/** How long a probe may take in all: when it is over, every connection of it is cut. */
export type Deadline = AbortSignal;

const LATE = new ProbeError('silent', 'no answer in time');

/** Connects by TCP. @throws ProbeError */
export const openTcp = (endpoint: Endpoint, deadline: Deadline): Promise<Socket> =>
  established(connectTcp({ ...endpoint }), 'connect', deadline);

/** Connects by TLS, asking for the certificate of `name`. @throws ProbeError */
export const openTls = (
  endpoint: Endpoint,
  name: string,
  trust: Trust,
  deadline: Deadline,
  protocols: string[] = [],
): Promise<TLSSocket> =>
  established(connectTls({ ...endpoint, ...tlsOptions(name, trust, protocols) }), 'secureConnect', deadline);

/** Goes on in TLS on a connection that began without. @throws ProbeError */
export const secure = (socket: Socket, name: string, trust: Trust, deadline: Deadline): Promise<TLSSocket> =>
  established(connectTls({ socket, ...tlsOptions(name, trust) }), 'secureConnect', deadline);

function tlsOptions(name: string, { authorities, verify }: Trust, protocols: string[] = []): ConnectionOptions {
  return {
    secureContext: authorities,
    // RFC 6066 §3: an address is no server name. The certificate has to be for it all the same.
    servername: isIP(name) ? '' : name,
    rejectUnauthorized: verify,
    ...(protocols.length > 0 ? { ALPNProtocols: protocols } : {}),
  };
}

/** A WebSocket of the subprotocol. @throws ProbeError */
export async function openWebSocket(
  url: string,
  protocol: string,
  trust: Trust,
  deadline: Deadline,
): Promise<{ socket: WebSocket; transport: Socket }> {
  if (deadline.aborted) throw LATE;
  const { hostname } = new URL(url);
  // Handed on to tls.connect(), which the types of `ws` leave out.
  const secure = { secureContext: trust.authorities };
  const socket = new WebSocket(url, protocol, {
    ...secure,
    rejectUnauthorized: trust.verify,
    ...(isIP(hostname) ? { servername: '' } : {}),
    maxPayload: 1024 * 1024,
  });
  socket.on('error', () => {});
  const cut = () => socket.terminate();
  deadline.addEventListener('abort', cut, { once: true });
  socket.once('close', () => deadline.removeEventListener('abort', cut));
  const transport = new Promise<Socket>((resolve) => socket.once('upgrade', (answer) => resolve(answer.socket)));
  await once(socket, 'open').catch((error: unknown) => {
    throw deadline.aborted ? LATE : refusedUpgrade(error);
  });
  return { socket, transport: await transport };
}

/** `ws` tells a handshake that was answered otherwise in its message alone. */
function refusedUpgrade(error: unknown): ProbeError {
  const status = error instanceof Error && /^Unexpected server response: (\d+)/.exec(error.message)?.[1];
  return status ? new ProbeError('unexpected', `no WebSocket is opened there (HTTP ${status})`) : explain(error);
}

/**
 * A UDP socket that may be sent to and closed whatever has become of it: after its end, which the deadline brings at the
 * latest, nothing happens any more.
 */
export class UdpPort {
  private open = true;

  private constructor(
    private readonly socket: UdpSocket,
    private readonly deadline: Deadline,
  ) {
    socket.on('error', () => {});
    const close = () => this.close();
    deadline.addEventListener('abort', close, { once: true });
    socket.once('close', () => deadline.removeEventListener('abort', close));
  }

  /** Speaks to one endpoint, and hears when its port is closed. @throws ProbeError */
  static async connect({ host, port }: Endpoint, deadline: Deadline): Promise<UdpPort> {
    const { socket, opened } = UdpPort.create(deadline);
    // The callback is told of a failure, which the type leaves out: a name that does not resolve.
    socket.connect(port, host, ((error?: Error) => error && socket.emit('error', error)) as () => void);
    return opened.when('connect');
  }

  /** For whoever sends to it. @param address of this machine; undefined: any of them @throws ProbeError */
  static async bind(address: string | undefined, deadline: Deadline): Promise<UdpPort> {
    const { socket, opened } = UdpPort.create(deadline);
    socket.bind(0, address);
    return opened.when('listening');
  }

  get local(): { address: string; port: number } {
    return this.socket.address();
  }

  onMessage(listener: (data: Buffer, from: Endpoint) => void): void {
    this.socket.on('message', (data, { address, port }) => listener(data, { host: address, port }));
  }

  onError(listener: (error: ProbeError) => void): void {
    this.socket.on('error', (error) => listener(explain(error)));
  }

  /** @param to not for a socket that is connected */
  send(data: Buffer | string, to?: Endpoint): void {
    if (!this.open) return;
    if (to) this.socket.send(data, to.port, to.host, ignored);
    else this.socket.send(data, ignored);
  }

  close(): void {
    if (this.open) this.socket.close();
    this.open = false;
  }

  /** Not after the deadline: nothing would close it then. */
  private static create(deadline: Deadline): { socket: UdpSocket; opened: UdpPort } {
    if (deadline.aborted) throw LATE;
    const socket = createSocket('udp4');
    return { socket, opened: new UdpPort(socket, deadline) };
  }

  private async when(event: 'connect' | 'listening'): Promise<this> {
    try {
      // A socket that is closed while its name is looked up says nothing.
      await once(this.socket, event, { signal: this.deadline });
      return this;
    } catch (error) {
      this.close();
      throw explain(error);
    }
  }
}

/** Datagrams get lost: who sends one that matters repeats it. */
const ignored = (): void => {};

async function established<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  deadline: Deadline,
): Promise<S> {
  // Whoever waits is told by `once`; what breaks it later is told by `onEnd`, or concerns nobody any more.
  socket.on('error', () => {});
  const cut = () => socket.destroy(LATE);
  deadline.addEventListener('abort', cut, { once: true });
  socket.once('close', () => deadline.removeEventListener('abort', cut));
  if (deadline.aborted) cut();
  try {
    await once(socket, event);
    return socket;
  } catch (error) {
    throw explain(error);
  }
}

/** Tells once why a connection ended. */
export function onEnd(socket: Socket, tell: (error: ProbeError) => void): void {
  let cause: unknown;
  const ended = () => tell(cause ? explain(cause) : new ProbeError('closed', 'the server closed the connection'));
  socket.on('error', (error) => {
    cause = error;
  });
  if (socket.destroyed) ended();
  else socket.once('close', ended);
}
