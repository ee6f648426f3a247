import { randomInt } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { until } from './wait.js';

/** What baresip tells over its control connection: an event of the phone, or the answer to a command. */
export interface BaresipEvent {
  type: string;
  /** Call-ID of the call that the event is about. */
  id?: string;
  param?: string;
}

interface Answer {
  ok: boolean;
  data: string;
  token: string;
}

/** The control connection of one baresip (module ctrl_tcp): JSON in netstrings. */
export class BaresipControl {
  readonly events: BaresipEvent[] = [];
  private readonly answers: Answer[] = [];
  private pending = '';
  private commands = 0;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (chunk: string) => this.take(chunk));
    socket.on('error', () => {});
  }

  static async connect(port: number): Promise<BaresipControl> {
    const socket = await until('baresip opens its control port', () => tryConnect(port));
    return new BaresipControl(socket);
  }

  async command(command: string, params = ''): Promise<string> {
    this.commands += 1;
    const token = String(this.commands);
    const frame = JSON.stringify({ command, params, token });
    this.socket.write(`${Buffer.byteLength(frame)}:${frame},`);
    const answer = await until(`baresip answers ${command}`, () => this.answers.find((one) => one.token === token));
    if (!answer.ok) throw new Error(`baresip refused ${command} ${params}: ${answer.data}`);
    return answer.data;
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: string): void {
    this.pending += chunk;
    for (;;) {
      const colon = this.pending.indexOf(':');
      const length = Number(this.pending.slice(0, colon));
      if (colon < 0 || this.pending.length < colon + length + 2) return;
      const frame = JSON.parse(this.pending.slice(colon + 1, colon + 1 + length));
      this.pending = this.pending.slice(colon + length + 2);
      if (frame.event) this.events.push(frame);
      else this.answers.push(frame);
    }
  }
}

const tryConnect = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });

/** A TCP port that nobody uses now, below those that the system hands out for outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 20_000);
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
