import { once } from 'node:events';
import WebSocket, { type ClientOptions } from 'ws';
import { until } from './until.js';

type Received = Record<string, unknown>;

/** A client of a WebSocket that notes what comes. */
export class SocketClient {
  readonly frames: Received[] = [];
  /** The payloads of the pongs. */
  readonly pongs: string[] = [];
  closed: { code: number; reason: string } | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.frames.push(JSON.parse(String(data))));
    socket.on('pong', (payload) => this.pongs.push(String(payload)));
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
    // The close that follows says all that matters.
    socket.on('error', () => {});
  }

  /** @throws Error with the status and the problem's code when it is refused: `401 unauthenticated` */
  static async connect(url: string, options: ClientOptions = {}): Promise<SocketClient> {
    const client = new SocketClient(new WebSocket(url, options));
    const refused = new Promise<never>((_resolve, reject) => {
      client.socket.once('unexpected-response', async (_request, response) => {
        const text: string[] = [];
        for await (const part of response) text.push(String(part));
        reject(new Error(`${response.statusCode} ${JSON.parse(text.join('')).code}`));
      });
    });
    await Promise.race([once(client.socket, 'open'), refused]);
    return client;
  }

  send(frame: object | string): this {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    return this;
  }

  /** The next frame that has not been taken. */
  async next(): Promise<Received> {
    await until(() => this.frames.length > 0 || this.closed !== undefined);
    const frame = this.frames.shift();
    if (!frame) throw new Error(`closed with ${JSON.stringify(this.closed)} instead of a frame`);
    return frame;
  }

  /** Resolves when it is closed, with the code and the reason. */
  async end(): Promise<{ code: number; reason: string }> {
    await until(() => this.closed !== undefined);
    return this.closed as { code: number; reason: string };
  }

  close(): void {
    this.socket.close();
  }
}
