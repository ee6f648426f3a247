import { createSocket, type Socket } from 'node:dgram';
import type { Endpoint } from './turn-message.js';

/** A peer beyond the relay: sends every datagram back to where it came from. */
export class UdpEcho {
  /** Who has sent something. */
  readonly senders: Endpoint[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('message', (data, { address, port }) => {
      this.senders.push({ address, port });
      socket.send(data, port, address);
    });
  }

  static async open(address: string): Promise<UdpEcho> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(0, address, resolve));
    return new UdpEcho(socket);
  }

  get endpoint(): Endpoint {
    const { address, port } = this.socket.address();
    return { address, port };
  }

  /** Resolves when the datagram has left. */
  send(data: Buffer, to: Endpoint): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(data, to.port, to.address, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.socket.close();
  }
}
