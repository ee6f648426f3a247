import { once } from 'node:events';
import WebSocket, { type ClientOptions } from 'ws';
import { platform } from './platform.js';
import { until } from './wait.js';

type Received = Record<string, unknown>;

/** A client of the API's WebSockets that notes what comes. */
export class SocketClient {
  readonly frames: Received[] = [];
  closed: { code: number; reason: string } | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.frames.push(JSON.parse(String(data))));
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
    // The close that follows says all that matters.
    socket.on('error', () => {});
  }

  /** @param port of the API process; the platform's own unless it says otherwise. @throws Error with the status of a refusal */
  static async connect(
    path: string,
    options: ClientOptions = {},
    port: number = platform.ports.api,
  ): Promise<SocketClient> {
    const client = new SocketClient(new WebSocket(`ws://${platform.host}:${port}${path}`, options));
    const refused = new Promise<never>((_resolve, reject) => {
      client.socket.once('unexpected-response', (request, { statusCode }) => {
        request.destroy();
        reject(new Error(`refused with ${statusCode}`));
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
    await until('a frame comes', () => this.frames.length > 0 || this.closed !== undefined);
    const frame = this.frames.shift();
    if (!frame) throw new Error(`closed with ${JSON.stringify(this.closed)} instead of a frame`);
    return frame;
  }

  /** Resolves when it is closed, with the code and the reason. */
  async end(): Promise<{ code: number; reason: string }> {
    return until('it is closed', () => this.closed);
  }

  close(): void {
    this.socket.close();
  }
}
