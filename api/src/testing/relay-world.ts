import type { AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import type { TestApp } from './app.js';
import { SocketClient } from './socket-client.js';
import { until } from './until.js';

export type Account = Awaited<ReturnType<TestApp['register']>>;
export type Frame = Record<string, unknown>;
type Kind = 'host' | 'client';

let requests = 0;
const newReqId = (): string => {
  requests += 1;
  return `req-${requests}`;
};

export const sms = (body = 'Hi', req_id = newReqId()) => ({
  ...{ type: 'command', cmd: 'SEND_SMS', sim: 1, to: '+886912345678', body, req_id },
});
export const call = (req_id = newReqId()) => ({ type: 'command', cmd: 'MAKE_CALL', sim: 1, to: '110', req_id });
export const sent = (req_id: string) => ({ type: 'event', event: 'SMS_SENT', status: 'ok', req_id });

/** The next frame but pings, which come when it is time. */
export async function anyNext(socket: SocketClient): Promise<Frame> {
  for (;;) {
    const frame = await socket.next();
    if (frame.type !== 'ping') return frame;
  }
}

/** The next frame that is no news of a device. */
export async function next(socket: SocketClient): Promise<Frame> {
  for (;;) {
    const frame = await anyNext(socket);
    if (!String(frame.event).startsWith('DEVICE_')) return frame;
  }
}

/** It has got no more of what is passed on at once. */
export async function nothingFor(socket: SocketClient): Promise<void> {
  socket.send({ type: 'ping' });
  expect(await next(socket)).toEqual({ type: 'pong' });
}

export async function gone(socket: SocketClient): Promise<void> {
  socket.close();
  await socket.end();
}

/** An account with a host and a client that are paired, and what connects them as the apps do. */
export class RelayWorld {
  private readonly open: SocketClient[] = [];

  private constructor(
    private readonly app: TestApp,
    readonly owner: Account,
    readonly host: number,
    readonly client: number,
  ) {}

  static async make(app: TestApp): Promise<RelayWorld> {
    const owner = await app.register('alice');
    const devices = new RelayWorld(app, owner, 0, 0);
    const world = new RelayWorld(app, owner, await devices.device('host'), await devices.device('client'));
    await world.pair(world.client);
    return world;
  }

  async device(type: Kind): Promise<number> {
    const { body } = await this.app.http
      .post('/devices')
      .set(this.owner.bearer)
      .send({ name: `a ${type}`, type });
    return body.id;
  }

  /** A client that has logged in for itself, as an app does: its session is its own. */
  async signedIn(): Promise<{ id: number; bearer: { authorization: string } }> {
    const { username, password } = this.owner;
    const { body: session } = await this.app.http.post('/auth/login').send({ username, password });
    const bearer = { authorization: `Bearer ${session.token}` };
    const device = { name: 'a client', type: 'client' };
    return { id: (await this.app.http.post('/devices').set(bearer).send(device)).body.id, bearer };
  }

  async pair(client: number): Promise<number> {
    const { bearer } = this.owner;
    const { body } = await this.app.http.post(`/pair?host_device_id=${this.host}`).set(bearer);
    const confirmation = { code: body.code, client_device_id: client };
    return (await this.app.http.post('/pair/confirm').set(bearer).send(confirmation)).body.pairing_id;
  }

  post(path: string, body: object, bearer = this.owner.bearer) {
    return this.app.http.post(path).set(bearer).send(body);
  }

  get(path: string) {
    return this.app.http.get(path).set(this.owner.bearer);
  }

  url(type: Kind, id: number): string {
    const { port } = this.app.app.getHttpServer().address() as AddressInfo;
    return `ws://127.0.0.1:${port}/ws/${type}/${id}?token=${this.owner.token}`;
  }

  /** Connects, and takes the greeting. */
  async connect(type: Kind, id: number = this[type]): Promise<SocketClient> {
    const socket = await SocketClient.connect(this.url(type, id));
    this.open.push(socket);
    expect(await socket.next()).toEqual({ type: 'connected', device_id: id });
    return socket;
  }

  /** Nothing waits for the host: the next that it gets is what is sent now, since the order is kept. */
  async nothingWaitsFor(phone: SocketClient): Promise<void> {
    const { body } = await this.get(`/sims?host_device_id=${this.host}`);
    expect(await next(phone)).toMatchObject({ cmd: 'GET_SIMS', req_id: body.req_id });
    phone.send({ type: 'ack', req_id: body.req_id });
  }

  /** What is kept of the account's messages. */
  async rows(): Promise<{ kind: string; acked: boolean; expired: boolean }[]> {
    return this.app.database.sql<{ kind: string; acked: boolean; expired: boolean }[]>`
      SELECT kind, acked_at IS NOT NULL AS acked, expired_at IS NOT NULL AS expired FROM relay_messages
      WHERE account_id = ${this.owner.id} ORDER BY id`;
  }

  /** Returns once so many of them wait. */
  waiting(count: number): Promise<void> {
    return this.untilRows((rows) => rows.filter(({ acked, expired }) => !acked && !expired).length === count);
  }

  /** Returns once all of that kind have been acknowledged. */
  acknowledged(wanted: string): Promise<void> {
    return this.untilRows((rows) => rows.filter(({ kind }) => kind === wanted).every(({ acked }) => acked));
  }

  private async untilRows(hold: (rows: Awaited<ReturnType<RelayWorld['rows']>>) => boolean): Promise<void> {
    let found = false;
    const look = async (): Promise<void> => {
      found = hold(await this.rows());
    };
    const timer = setInterval(() => void look(), 20);
    try {
      await until(() => found);
    } finally {
      clearInterval(timer);
    }
  }

  end(): void {
    for (const socket of this.open) socket.close();
  }
}
