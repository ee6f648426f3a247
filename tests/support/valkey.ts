import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from './own-api.js';
import { until } from './wait.js';

/** A server that API processes tell each other through: Debian's Redis, which speaks as Valkey does. It keeps nothing. */
export class Valkey {
  private process: ChildProcess | undefined;

  private constructor(readonly port: number) {}

  static async start(): Promise<Valkey> {
    const server = new Valkey(await freePort());
    await server.resume();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again where it was. */
  async resume(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.process = spawn('redis-server', options, { cwd: '/tmp', stdio: 'ignore' });
    await until('Redis listens', () => this.listens());
  }

  /** Kills it. */
  async stop(): Promise<void> {
    if (!this.process) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    this.process = undefined;
    await ended;
  }

  /** How many connections have subscribed to something. */
  async subscribers(): Promise<number> {
    const list = await this.ask('CLIENT LIST');
    return [...list.matchAll(/ sub=(\d+)/g)].filter(([, channels]) => channels !== '0').length;
  }

  private ask(command: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1').setEncoding('utf8');
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let answer = '';
    socket.on('error', reject);
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('close', () => resolve(answer));
    socket.write(`${command}\r\nQUIT\r\n`);
    return promise;
  }

  private async listens(): Promise<boolean> {
    return (await this.ask('PING')).includes('PONG');
  }
}
