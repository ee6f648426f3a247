import { createSocket } from 'node:dgram';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { certificateAuthority, platform } from './platform.js';
import { padding } from './turn-message.js';

/** One way to the TURN server: what carries its messages and channel data. */
export interface TurnTransport {
  send(message: Buffer): void;
  close(): void;
}

type Deliver = (message: Buffer) => void;

/**
 * Opens the transport that a TURN URI names (RFC 7065). Names of the test platform are in no DNS: the
 * connection goes to the platform's address, the certificate must be for the name.
 */
export function openTurnTransport(uri: string, deliver: Deliver): Promise<TurnTransport> {
  const found = /^(stun|turn|turns):([^:?]+):(\d+)(?:\?transport=(udp|tcp))?$/.exec(uri);
  if (!found) throw new Error(`not a TURN URI with a port: ${uri}`);
  const [, scheme, name, port, transport = 'udp'] = found;
  if (scheme === 'turns') return openStream(tlsTo(name!, Number(port)), 'secureConnect', deliver);
  if (transport === 'tcp') return openStream(connectTcp(Number(port), platform.host), 'connect', deliver);
  return openUdp(Number(port), deliver);
}

const tlsTo = (servername: string, port: number): Socket =>
  connectTls({ host: platform.host, port, servername, ca: certificateAuthority() });

async function openUdp(port: number, deliver: Deliver): Promise<TurnTransport> {
  const socket = createSocket('udp4').on('message', deliver);
  await new Promise<void>((resolve, reject) => socket.once('error', reject).connect(port, platform.host, resolve));
  return { send: (message) => socket.send(message), close: () => socket.close() };
}

async function openStream(socket: Socket, ready: string, deliver: Deliver): Promise<TurnTransport> {
  await new Promise<void>((resolve, reject) => socket.once(ready, resolve).once('error', reject));
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let size = sizeOfFirst(pending); size <= pending.length; size = sizeOfFirst(pending)) {
      deliver(pending.subarray(0, size));
      pending = pending.subarray(size);
    }
  });
  // A server that cuts the connection leaves the request without an answer: that is what the client reports.
  socket.on('error', () => undefined);
  const padded = (message: Buffer): Buffer => Buffer.concat([message, Buffer.alloc(padding(message.length))]);
  return { send: (message) => void socket.write(padded(message)), close: () => socket.destroy() };
}

/** Bytes of the first message in a stream: a STUN header counts itself out, channel data is padded (RFC 8656, 12.5). */
function sizeOfFirst(stream: Buffer): number {
  if (stream.length < 4) return 4;
  const length = stream.readUInt16BE(2);
  return stream.readUInt8(0) < 0x40 ? 20 + length : 4 + length + padding(length);
}
