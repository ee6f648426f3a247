import { createSocket } from 'node:dgram';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import WebSocket from 'ws';
import { toPlatform } from './https.js';
import { certificateAuthority, platform } from './platform.js';
import { format, parse, type SipMessage, takeMessages } from './sip-message.js';

export type TransportName = 'udp' | 'tcp' | 'tls' | 'wss';

/** One connection to the SIP server, or one UDP socket that speaks to it. */
export interface Transport {
  readonly name: TransportName;
  readonly address: string;
  readonly port: number;
  send(message: SipMessage): void;
  close(): void;
}

type Deliver = (message: SipMessage) => void;

/** Opens a transport from `address`, on loopback any of it; every message that arrives goes to `deliver`. */
export function openTransport(
  name: TransportName,
  deliver: Deliver,
  address = platform.clientAddress,
): Promise<Transport> {
  switch (name) {
    case 'udp':
      return openUdp(deliver, address);
    case 'tcp':
      return openStream(name, deliver, connectFrom(address, platform.ports.sip));
    case 'tls':
      return openStream(name, deliver, openTls(address));
    case 'wss':
      return openWebSocket(deliver, address);
  }
}

const connectFrom = (localAddress: string, port: number): Socket =>
  connectTcp({ host: platform.host, port, localAddress });

async function openUdp(deliver: Deliver, address: string): Promise<Transport> {
  const socket = createSocket('udp4');
  socket.on('message', (datagram) => deliver(parse(datagram.toString())));
  await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(0, address, resolve));
  return {
    name: 'udp',
    address,
    port: socket.address().port,
    send: (message) => socket.send(format(message), platform.ports.sip, platform.host),
    close: () => socket.close(),
  };
}

const openTls = (address: string): Socket =>
  connectTls({
    socket: connectFrom(address, platform.ports.sipTls),
    ca: certificateAuthority(),
    servername: 'localhost',
  });

async function openStream(name: 'tcp' | 'tls', deliver: Deliver, socket: Socket): Promise<Transport> {
  let pending = '';
  // Latin-1: a character is a byte, as Content-Length counts them.
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    const { messages, rest } = takeMessages(pending + chunk);
    pending = rest;
    for (const message of messages) deliver(message);
  });
  await new Promise<void>((resolve, reject) =>
    socket.once(name === 'tls' ? 'secureConnect' : 'connect', resolve).once('error', reject),
  );
  socket.on('error', () => {});
  return {
    name,
    address: socket.localAddress ?? '',
    port: socket.localPort ?? 0,
    send: (message) => void socket.write(format(message)),
    close: () => socket.destroy(),
  };
}

async function openWebSocket(deliver: Deliver, address: string): Promise<Transport> {
  const socket = new WebSocket(`wss://localhost:${platform.ports.sipWss}/`, 'sip', {
    ca: certificateAuthority(),
    localAddress: address,
    lookup: toPlatform,
  });
  socket.on('message', (data: Buffer) => deliver(parse(data.toString())));
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => {});
  return {
    name: 'wss',
    // A browser knows neither its address nor its port (RFC 7118, 5).
    address: 'browser.invalid',
    port: 0,
    send: (message) => socket.send(format(message)),
    close: () => socket.terminate(),
  };
}
