import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A client that sends bytes as it likes, and notes what comes back. */
export class RawClient {
  private received = '';
  private readonly ended: Promise<unknown>;

  private constructor(private readonly socket: Socket) {
    // A reset is an end like any other: what matters is what came before it.
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.received += text;
    });
    this.ended = once(socket, 'close');
  }

  static async connect(port: number): Promise<RawClient> {
    const client = new RawClient(connect(port, '127.0.0.1'));
    await once(client.socket, 'connect');
    return client;
  }

  get open(): boolean {
    return !this.socket.destroyed;
  }

  send(...lines: string[]): this {
    this.socket.write(lines.join('\r\n'));
    return this;
  }

  /** Sends that again and again, as long as the server takes it. */
  async drip(text: string, everyMs: number): Promise<void> {
    while (this.open) {
      this.socket.write(text);
      await delay(everyMs);
    }
  }

  /** Takes nothing more from the server. */
  readNothing(): this {
    this.socket.pause();
    return this;
  }

  /** All that came until the server closed the connection. */
  async untilClosed(): Promise<string> {
    await this.ended;
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** The parts of an answer as it came. */
export function partsOf(answer: string): { status: number; headers: Record<string, string>; body: string } {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [start = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(start.split(' ')[1]), headers: Object.fromEntries(headers), body };
}
