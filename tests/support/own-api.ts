import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import axios, { type AxiosInstance } from 'axios';
import { NODE, program } from './checkout.js';
import { apiSecrets, platform, secret } from './platform.js';
import { until } from './wait.js';

/**
 * A second API process on the platform's databases and servers, with settings of its own: tests put proxies between it
 * and its neighbours, and the platform's own process stays as it is.
 */
export class OwnApi {
  private output = '';

  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
    readonly internalPort: number,
  ) {
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  static async start(settings: NodeJS.ProcessEnv): Promise<OwnApi> {
    const [free, internalPort] = await freePorts(2);
    const port = Number(settings.API_PORT ?? free);
    const environment = {
      ...process.env,
      ...apiSecrets(),
      NODE_ENV: 'production',
      RATE_LIMIT_FACTOR: '1000000',
      LOG_LEVEL: 'warn',
      API_PORT: String(port),
      API_INTERNAL_PORT: String(internalPort),
      ...settings,
    };
    const child = spawn(NODE, [program('main')], { env: environment });
    const api = new OwnApi(child, port, Number(environment.API_INTERNAL_PORT));
    await api.answers().catch(async (cause: unknown) => {
      await api.kill();
      throw new Error(`the own API does not answer: ${api.output}`, { cause });
    });
    return api;
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** What the process has logged so far. */
  get log(): string {
    return this.output;
  }

  /** How the process ended, though nobody told it to; undefined while it runs. */
  get obituary(): string | undefined {
    if (this.running) return undefined;
    return `the API has ended (${this.process.exitCode ?? this.process.signalCode}): ${this.output.slice(-2000)}`;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** The API as a client sees it. No status is an exception, but silence is. */
  client(token?: string): AxiosInstance {
    return axios.create({
      baseURL: `http://127.0.0.1:${this.port}/api/v1`,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      validateStatus: () => true,
      timeout: 20_000,
      proxy: false,
    });
  }

  /** What the process counts: the sum of a metric's values, or that of those with these labels (`outcome="accepted"`). */
  async metric(name: string, labels = ''): Promise<number> {
    const { data } = await axios.get<string>(`http://127.0.0.1:${this.internalPort}/metrics`, {
      headers: { authorization: `Bearer ${secret('internal_secret')}` },
      proxy: false,
    });
    const lines = data.split('\n').filter((line) => line.startsWith(name) && line.includes(labels));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Ends the process in the middle of whatever it does. */
  async kill(): Promise<void> {
    if (!this.running) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.process.kill('SIGTERM');
    await once(this.process, 'exit');
  }

  private async answers(): Promise<void> {
    const health = `http://127.0.0.1:${this.port}/health`;
    const answers = async (): Promise<boolean> =>
      !this.running || (await axios.get(health, { proxy: false, timeout: 1000 })).status === 200;
    await until('the own API answers', answers);
    if (!this.running) throw new Error(`the own API ended at once: ${this.output}`);
  }
}

/** What tests/platform.sh leaves free of the platform's ports. No client's end of a connection takes one of these meanwhile. */
const SPARE_PORTS = Array.from({ length: 84 }, (_, index) => platform.ports.api + 16 + index);
let lastSpare = Math.floor(Math.random() * SPARE_PORTS.length);

/** A port on which nobody listens. */
export const freePort = async (): Promise<number> => (await freePorts(1))[0]!;

/** Ports on which nobody listens: the API takes numbers only. */
async function freePorts(count: number): Promise<number[]> {
  const free: number[] = [];
  while (free.length < count) {
    lastSpare = (lastSpare + 1) % SPARE_PORTS.length;
    const port = SPARE_PORTS[lastSpare]!;
    if (await isFree(port)) free.push(port);
  }
  return free;
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
