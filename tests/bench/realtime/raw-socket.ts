import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEADER_END = '\r\n\r\n';

/** A text frame as a client sends it (RFC 6455, 5.2), masked with zeros: made once, sent often. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt8(0x81, 0);
  header.writeUInt8(0x80 | 126, 1);
  header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

/** A WebSocket client that costs next to nothing, so that a benchmark measures the server. It answers no ping. */
export class RawSocket {
  private rest: Buffer = Buffer.alloc(0);
  private handler: ((payload: Buffer) => void) | undefined;
  private early: Buffer[] = [];

  private constructor(private readonly socket: Socket) {}

  static async open(port: number, path: string, headers: Record<string, string> = {}): Promise<RawSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const lines = Object.entries({
      host: 'localhost',
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}`);
    socket.write([`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
    const raw = new RawSocket(socket);
    await raw.upgraded();
    socket.on('data', (chunk: Buffer) => raw.take(chunk));
    raw.take(Buffer.alloc(0));
    return raw;
  }

  /** Gets what comes, and what has come already. */
  set onFrame(handler: (payload: Buffer) => void) {
    this.handler = handler;
    for (const payload of this.early.splice(0)) handler(payload);
  }

  send(frame: Buffer): void {
    this.socket.write(frame);
  }

  /** Resolves with the next frame. */
  next(): Promise<Buffer> {
    return new Promise((resolve) => {
      this.onFrame = resolve;
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private async upgraded(): Promise<void> {
    let head = Buffer.alloc(0);
    while (!head.includes(HEADER_END)) head = Buffer.concat([head, (await once(this.socket, 'data'))[0]]);
    if (!head.toString().startsWith('HTTP/1.1 101')) throw new Error(`not upgraded: ${head.subarray(0, 200)}`);
    this.rest = head.subarray(head.indexOf(HEADER_END) + HEADER_END.length);
  }

  private take(chunk: Buffer): void {
    const data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    for (;;) {
      const [start, end] = payloadAt(data, at);
      if (end > data.length) break;
      // Of pings and the like nothing is wanted.
      if (data[at] === 0x81) this.deliver(data.subarray(start, end));
      at = end;
    }
    this.rest = data.subarray(at);
  }

  private deliver(payload: Buffer): void {
    if (this.handler) this.handler(payload);
    else this.early.push(payload);
  }
}

/** Where the payload of the frame that begins there is; its end is beyond the data when it is not all there. */
function payloadAt(data: Buffer, at: number): [start: number, end: number] {
  if (at + 2 > data.length) return [at, data.length + 1];
  const length = data[at + 1]! & 0x7f;
  if (length < 126) return [at + 2, at + 2 + length];
  if (at + 4 > data.length) return [at, data.length + 1];
  return [at + 4, at + 4 + data.readUInt16BE(at + 2)];
}
