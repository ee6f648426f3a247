import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { Metrics } from '../common/metrics.js';
import { Problem } from '../common/problem.js';
import { Drain } from '../http/drain.js';
import { RateLimiter } from '../http/rate-limiter.js';
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

/** The value of each series. */
async function metrics(): Promise<(series: string) => number> {
  const lines = (await app.app.get(Metrics).text()).split('\n');
  return (series) =>
    Number(
      lines
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1) ?? 0,
    );
}

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

it('counts pings, and pongs that nobody has asked for, as frames', async () => {
  const [pinging, ponging] = [await connected(), await connected()];
  for (let n = 0; n < 25 && !pinging.closed; n += 1) {
    for (let ping = 0; ping < 49; ping += 1) pinging.socket.ping();
    // Who waits for answers is not taken for one who does not read.
    pinging.socket.ping(String(n));
    await until(() => pinging.pongs.includes(String(n)) || pinging.closed !== undefined);
  }
  for (let n = 0; n < 1200; n += 1) ponging.socket.pong();
  for (const flooder of [pinging, ponging]) {
    expect(await flooder.end()).toEqual({ code: 1008, reason: 'rate_limited' });
    expect(flooder.frames).toEqual([{ error: 'rate_limited' }]);
  }
});

it('counts no pong that answers a ping of its own', async () => {
  const client = await connected();
  const connection = app.app.get(Presence).here('generous', client.id);
  for (let n = 0; n < 1200; n += 1) expect(await connection?.confirmed()).toBe(true);
  expect(await client.send({ n: 1 }).next()).toEqual({ n: 1 });
});

it('cuts off who sends pings and takes no answers', async () => {
  const client = await connected();
  client.socket.pause();
  for (let n = 0; n < 900; n += 1) client.socket.ping();
  await until(() => protocol.ended.includes(client.id));
  client.socket.resume();
  expect((await client.end()).code).toBe(1006);
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

it('counts who is open, what goes to and fro, how it ends, and who is refused', async () => {
  const { port } = app.app.getHttpServer().address() as AddressInfo;
  const refusedWith = async (path: string, options: object = {}): Promise<string> =>
    SocketClient.connect(`ws://127.0.0.1:${port}${path}`, options).then(
      () => 'let in',
      (error: Error) => error.message,
    );
  const client = await connected();
  const before = await metrics();
  expect(before('veil_sockets')).toBeGreaterThanOrEqual(1);
  for (let n = 1; n < 4; n += 1) expect(await client.send({ n }).next()).toEqual({ n });
  expect(await refusedWith('/nowhere')).toBe('404 not_found');
  expect(await refusedWith('/generous/x?token=bad')).toBe('401 unauthenticated');
  jest.spyOn(app.app.get(RateLimiter), 'take').mockImplementationOnce(() => {
    throw new Problem('rate_limited', 'too many');
  });
  expect(await refusedWith('/generous/x')).toBe('429 rate_limited');
  jest.spyOn(app.app.get(Drain), 'deaf', 'get').mockReturnValueOnce(true);
  expect(await refusedWith('/generous/x')).toBe('503 stopping');
  jest.restoreAllMocks();
  client.close();
  await client.end();
  await until(() => protocol.ended.includes(client.id));
  const after = await metrics();
  const growth = (series: string): number => after(series) - before(series);
  expect(growth('veil_sockets')).toBe(-1);
  expect(growth('veil_socket_frames_received_total')).toBe(3);
  expect(growth('veil_socket_frames_sent_total')).toBe(3);
  expect(growth('veil_sockets_closed_total{protocol="generous",code="1005"}')).toBe(1);
  expect(growth('veil_sockets_refused_total{protocol="none",code="not_found"}')).toBe(1);
  for (const code of ['unauthenticated', 'rate_limited', 'stopping']) {
    expect(growth(`veil_sockets_refused_total{protocol="generous",code="${code}"}`)).toBe(1);
  }
});

it('refuses what is no handshake of WebSockets, and leaves other upgrades to HTTP', async () => {
  const headers = { connection: 'Upgrade', upgrade: 'websocket', authorization: alice.bearer.authorization };
  const answer = await app.http.get('/generous/device-1').set(headers);
  expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
  const other = await app.http.get('/health').set({ connection: 'Upgrade', upgrade: 'h2c' });
  expect([other.status, other.body.status]).toEqual([200, 'ok']);
});
