import { once } from 'node:events';
import axios, { type AxiosInstance } from 'axios';
import WebSocket from 'ws';
import { platform } from './platform.js';
import { until } from './wait.js';

export type RelayFrame = Record<string, unknown>;
export type RelayKind = 'host' | 'client';

/** An app of the field: it knows the root of a server, and asks for the paths and sends the frames that the published ones do. */
export class RelayApp {
  readonly frames: RelayFrame[] = [];
  id = 0;
  private token = '';
  private socket: WebSocket | undefined;

  /** @param port of the API process that it is connected to; it may be moved to another */
  constructor(
    readonly kind: RelayKind,
    public port: number = platform.ports.api,
  ) {}

  get rest(): AxiosInstance {
    return axios.create({
      baseURL: `http://${platform.host}:${this.port}`,
      headers: this.token ? { authorization: `Bearer ${this.token}` } : {},
      validateStatus: () => true,
      timeout: 20_000,
      proxy: false,
    });
  }

  /** Logs in and registers: what an app does when it is set up. */
  async setUp(username: string, password: string): Promise<this> {
    this.token = (await this.rest.post('/auth/login', { username, password })).data.token;
    const { data } = await this.rest.post('/devices', { name: `A ${this.kind}`, type: this.kind });
    this.id = data.id;
    return this;
  }

  /** The same device once more: its next connection. */
  twin(): RelayApp {
    return Object.assign(new RelayApp(this.kind, this.port), { id: this.id, token: this.token });
  }

  /** Connects, and takes the greeting. */
  async connect(): Promise<void> {
    const socket = new WebSocket(`ws://${platform.host}:${this.port}/ws/${this.kind}/${this.id}?token=${this.token}`);
    socket.on('message', (data) => this.frames.push(JSON.parse(String(data))));
    // How it ends, its close event tells.
    socket.on('error', () => {});
    this.socket = socket;
    await once(socket, 'open');
    await this.next(({ type }) => type === 'connected');
  }

  send(frame: RelayFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  /** The first frame of that kind that has not been taken. */
  async next(wanted: (frame: RelayFrame) => boolean): Promise<RelayFrame> {
    return until(`the ${this.kind} gets ${wanted}`, () => {
      const index = this.frames.findIndex(wanted);
      return index >= 0 && this.frames.splice(index, 1)[0];
    });
  }

  command(cmd: string): Promise<RelayFrame> {
    return this.next((frame) => frame.cmd === cmd);
  }

  event(event: string): Promise<RelayFrame> {
    return this.next((frame) => frame.event === event);
  }

  /** With which code and reason the connection ends. */
  async ended(): Promise<[code: number, reason: string]> {
    const socket = this.socket;
    if (!socket) throw new Error('it is not connected');
    const [code, reason] = await once(socket, 'close');
    return [code, String(reason)];
  }

  close(): void {
    this.socket?.terminate();
  }
}

/** Pairs the two as their owner does: the host shows a code. */
export async function pairApps(host: RelayApp, client: RelayApp): Promise<number> {
  const { data } = await host.rest.post(`/pair?host_device_id=${host.id}`);
  const answer = await client.rest.post('/pair/confirm', { code: data.code, client_device_id: client.id });
  if (answer.status !== 200) throw new Error(`pairing answered ${answer.status}: ${JSON.stringify(answer.data)}`);
  return answer.data.pairing_id;
}
