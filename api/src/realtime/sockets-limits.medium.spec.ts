import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Problem } from '../common/problem.js';
import { TestApp } from '../testing/app.js';
import { SocketClient } from '../testing/socket-client.js';
import { until } from '../testing/until.js';
import { Presence } from './presence.js';
import { type Connection, type Frame, SocketProtocol } from './protocol.js';
import { SocketServer } from './socket-server.js';

/** Answers each frame with a megabyte, or with itself. */
class Generous extends SocketProtocol {
  readonly name = 'generous';
  readonly paths = ['/generous/:device_id'];
  readonly maxFrameBytes = 4096;
  readonly ended: string[] = [];

  complaint({ code }: Problem): object {
    return { error: code };
  }

  received(connection: Connection, frame: Frame): void {
    if (frame.boom) throw new Error('a defect of the protocol');
    connection.send(frame.much ? { much: 'x'.repeat(1024 * 1024) } : frame);
  }

  override closed({ device }: Connection): void {
    this.ended.push(device.id);
  }
}

const protocol = new Generous();
const clients: SocketClient[] = [];
let app: TestApp;
let alice: Awaited<ReturnType<TestApp['register']>>;

beforeAll(async () => {
  app = await TestApp.start({ RATE_LIMIT_FACTOR: '1' });
  app.app.get(SocketServer).serve(protocol);
  await app.app.listen(0, '127.0.0.1');
  alice = await app.register('alice');
});
afterEach(() => {
  for (const client of clients.splice(0)) client.socket.terminate();
});
afterAll(() => app.stop());

let last = 0;

/** A device that is connected. */
async function connected(options: object = {}): Promise<SocketClient & { id: string }> {
  last += 1;
  const id = `device-${last}`;
  await app.http.post('/devices/register').set(alice.bearer).send({ device_id: id, pubkey: 'key' });
  const { port } = app.app.getHttpServer().address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}/generous/${id}`;
  const client = await SocketClient.connect(url, { headers: alice.bearer, ...options });
  clients.push(client);
  return Object.assign(client, { id });
}

it('ends a flood and leaves others alone', async () => {
  const [flooder, other] = [await connected(), await connected()];
  for (let n = 0; n < 1200; n += 1) flooder.send({ n });
  expect(await flooder.end()).toEqual({ code: 1008, reason: 'rate_limited' });
  expect(flooder.frames).toHaveLength(1001);
  expect(flooder.frames.at(-1)).toEqual({ error: 'rate_limited' });
  expect(await other.send({ n: 1 }).next()).toEqual({ n: 1 });
  // To come again is no way around it.
  const { port } = app.app.getHttpServer().address() as AddressInfo;
  const again = await SocketClient.connect(`ws://127.0.0.1:${port}/generous/${flooder.id}`, { headers: alice.bearer });
  again.send({ n: 1 });
  expect((await again.end()).reason).toBe('rate_limited');
});

it('cuts off who reads nothing, before it owes much', async () => {
  const reader = await connected();
  reader.socket.pause();
  for (let n = 0; n < 50; n += 1) reader.send({ much: true });
  await until(() => protocol.ended.includes(reader.id));
  reader.socket.resume();
  expect((await reader.end()).code).toBe(1006);
  expect(reader.frames.length).toBeLessThan(25);
});

it('cuts off who gives no sign of life', async () => {
  const [silent, alive] = [await connected({ autoPong: false }), await connected()];
  const [first, second] = [silent, alive].map(({ id }) => app.app.get(Presence).here('generous', id));
  for (const connection of [first, second]) connection?.ping();
  await until(() => second?.alive === true);
  for (const connection of [first, second]) connection?.ping();
  expect((await silent.end()).code).toBe(1006);
  expect(await alive.send({ n: 1 }).next()).toEqual({ n: 1 });
});

it('puts fragments together, and takes no endless number of them', async () => {
  const client = await connected();
  for (const text of ['{"n"', ':', '7']) client.socket.send(text, { fin: false });
  client.socket.send('}', { fin: true });
  expect(await client.next()).toEqual({ n: 7 });
  for (let n = 0; n < 1100; n += 1) client.socket.send('', { fin: false });
  expect((await client.end()).code).toBe(1008);
});

it('survives a defect of a protocol, and says nothing of it', async () => {
  const client = await connected();
  expect(await client.send({ boom: true }).next()).toEqual({ error: 'internal_error' });
  expect(await client.send({ n: 1 }).next()).toEqual({ n: 1 });
});

it('refuses what is no handshake of WebSockets, and leaves other upgrades to HTTP', async () => {
  const headers = { connection: 'Upgrade', upgrade: 'websocket', authorization: alice.bearer.authorization };
  const answer = await app.http.get('/generous/device-1').set(headers);
  expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
  const other = await app.http.get('/health').set({ connection: 'Upgrade', upgrade: 'h2c' });
  expect([other.status, other.body.status]).toEqual([200, 'ok']);
});
