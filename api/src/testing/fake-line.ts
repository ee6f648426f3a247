import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { WebSocket } from 'ws';
import { type Admitted, DeviceSocket, type Line } from '../realtime/device-socket.js';
import type { SocketProtocol } from '../realtime/protocol.js';

/** The server's end of a WebSocket, of which a test sees what is sent. */
export class FakeLine extends EventEmitter {
  readonly OPEN = 1;
  readonly bufferedAmount = 0;
  readyState = 1;
  /** The payloads of the pings. */
  readonly pings: string[] = [];
  readonly sent: unknown[] = [];

  /** The connection of a device over this line. */
  connection(protocol: SocketProtocol, device: Admitted['device']): DeviceSocket {
    const caller = {
      accountId: device.accountId,
      sessionId: 'session',
      deviceId: device.id,
      username: 'alice',
      jid: 'alice@veil.test',
    };
    const line: Line = { client: this as unknown as WebSocket, stream: new PassThrough() };
    return new DeviceSocket(protocol, { device, caller, path: '/', way: 'header' }, line, () => {});
  }

  ping(payload: string): void {
    this.pings.push(payload);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }

  terminate(): void {
    this.readyState = 3;
  }
}
