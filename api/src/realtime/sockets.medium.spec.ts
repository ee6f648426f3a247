import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Problem } from '../common/problem.js';
import { TestApp } from '../testing/app.js';
import { SocketClient } from '../testing/socket-client.js';
import { until } from '../testing/until.js';
import { DeviceDirectory, type KnownDevice } from './device-directory.js';
import { Presence, type PresenceChange } from './presence.js';
import { type Challenge, type Connection, type Frame, SocketProtocol } from './protocol.js';
import { SocketServer } from './socket-server.js';

/** The smallest protocol: says what it gets, and gives frames to whom they name. */
class Echo extends SocketProtocol {
  readonly name = 'echo';
  readonly paths = ['/echo', '/echo/:device_id'];
  readonly maxFrameBytes = 1024;
  readonly ended: string[] = [];
  presence: Presence | undefined;

  complaint(problem: Problem): object {
    return { error: problem.code };
  }

  override opened(connection: Connection): void {
    connection.send({ hello: connection.device.id, path: connection.path, way: connection.way });
  }

  override async received(connection: Connection, frame: Frame): Promise<void> {
    if (frame.to === undefined) connection.send({ echo: frame });
    else connection.send({ delivered: await this.presence?.deliver('echo', String(frame.to), { got: frame }) });
  }

  override closed(connection: Connection): void {
    this.ended.push(connection.device.id);
  }

  override refusesByClosing(): boolean {
    return this.closing;
  }

  override challenge({ id }: KnownDevice): Challenge | undefined {
    if (!id.startsWith('proving')) return undefined;
    return { frame: { question: 6 }, accepts: ({ answer }) => answer === 42 };
  }

  closing = false;
}

const echo = new Echo();
const changes: PresenceChange[] = [];
let app: TestApp;
let base: string;
let alice: Awaited<ReturnType<TestApp['register']>>;
let bob: Awaited<ReturnType<TestApp['register']>>;

beforeAll(async () => {
  app = await TestApp.start();
  app.app.get(SocketServer).serve(echo);
  const presence = app.app.get(Presence);
  echo.presence = presence;
  presence.watch((change) => changes.push(change));
  await app.app.listen(0, '127.0.0.1');
  base = `ws://127.0.0.1:${(app.app.getHttpServer().address() as AddressInfo).port}`;
  alice = await app.register('alice');
  bob = await app.register('bob');
});
afterAll(() => app.stop());

type Owner = typeof alice;
let last = 0;

/** A device of a new id. */
async function device(owner: Owner = alice, prefix = 'device'): Promise<string> {
  last += 1;
  const id = `${prefix}-${last}`;
  const answer = await app.http.post('/devices/register').set(owner.bearer).send({ device_id: id, pubkey: 'key' });
  expect(answer.status).toBe(201);
  return id;
}

const connect = (id: string, owner: Owner = alice) =>
  SocketClient.connect(`${base}/echo/${id}`, { headers: owner.bearer });

async function greeted(id: string, owner: Owner = alice): Promise<SocketClient> {
  const client = await connect(id, owner);
  await client.next();
  return client;
}

it('lets a device in by header, by query and by its first frame, at the root and below the base', async () => {
  const id = await device();
  const byHeader = await connect(id);
  expect(await byHeader.next()).toEqual({ hello: id, path: '/echo/:device_id', way: 'header' });
  const byQuery = await SocketClient.connect(`${base}/api/v1/echo?device_id=${id}&token=${alice.token}`);
  expect(await byQuery.next()).toEqual({ hello: id, path: '/echo', way: 'query' });
  const byFrame = await SocketClient.connect(`${base}/echo`);
  byFrame.send({ type: 'auth', token: alice.token, device_id: id }).send({ early: true });
  expect(await byFrame.next()).toEqual({ hello: id, path: '/echo', way: 'frame' });
  expect(await byFrame.next()).toEqual({ echo: { early: true } });
  expect(await byHeader.end()).toEqual({ code: 1008, reason: 'Replaced by new connection' });
  expect(await byQuery.end()).toEqual({ code: 1008, reason: 'Replaced by new connection' });
  byFrame.close();
});

it('refuses before the upgrade: no such path, a bad token, no such device, a foreign one', async () => {
  const foreign = await device(bob);
  await expect(SocketClient.connect(`${base}/nowhere`)).rejects.toThrow('404 not_found');
  await expect(SocketClient.connect(`${base}/echo/x?token=bad`)).rejects.toThrow('401 unauthenticated');
  for (const none of ['%00', '%', '%E0%A4%A', 'a%2Fb']) await expect(connect(none)).rejects.toThrow('404 not_found');
  await expect(connect('no-such-device')).rejects.toThrow('404 not_found');
  await expect(connect(foreign)).rejects.toThrow('403 forbidden');
});

it('knows a device by a path that encodes its id', async () => {
  const id = await device(alice, 'a:b');
  const client = await connect(encodeURIComponent(id));
  expect(await client.next()).toMatchObject({ hello: id });
  client.close();
});

it('refuses by closing where a protocol wants that, and always after a first frame', async () => {
  echo.closing = true;
  const client = await SocketClient.connect(`${base}/echo/x?token=bad`);
  echo.closing = false;
  expect(await client.next()).toEqual({ error: 'unauthenticated' });
  expect(await client.end()).toEqual({ code: 1008, reason: 'unauthenticated' });
  for (const first of ['{"type":"auth"}', 'no JSON', '[]', `{"type":"auth","token":"${bob.token}","device_id":"x"}`]) {
    const late = await SocketClient.connect(`${base}/echo`);
    late.send(first);
    expect(await late.next()).toEqual({ error: expect.any(String) });
    expect((await late.end()).code).toBe(1008);
  }
});

it.each([
  [new Problem('database_unavailable', 'away'), 1013],
  [new Error('a defect'), 1011],
])('tells an outage from a refusal: %s', async (error, code) => {
  const id = await device();
  const find = jest.spyOn(app.app.get(DeviceDirectory), 'find').mockRejectedValue(error);
  echo.closing = true;
  const byQuery = await SocketClient.connect(`${base}/echo/${id}?token=${alice.token}`);
  echo.closing = false;
  const byFrame = await SocketClient.connect(`${base}/echo`);
  byFrame.send({ type: 'auth', token: alice.token, device_id: id });
  const reason = error instanceof Problem ? error.code : 'internal_error';
  for (const client of [byQuery, byFrame]) {
    expect(await client.next()).toEqual({ error: reason });
    expect(await client.end()).toEqual({ code, reason });
  }
  find.mockRestore();
});

it('asks for a proof where a protocol wants one', async () => {
  const id = await device(alice, 'proving');
  const right = await connect(id);
  expect(await right.next()).toEqual({ question: 6 });
  expect(echo.presence?.isOnline(id)).toBe(false);
  right.send({ answer: 42 }).send({ more: 1 });
  expect(await right.next()).toEqual({ hello: id, path: '/echo/:device_id', way: 'header' });
  expect(await right.next()).toEqual({ echo: { more: 1 } });
  const wrong = await connect(id);
  await wrong.next();
  wrong.send({ answer: 41 });
  expect((await wrong.end()).reason).toBe('unauthenticated');
  expect(right.closed).toBeUndefined();
  right.close();
});

it('tells who is there, and gives frames to whom they are for', async () => {
  const [one, other] = [await device(), await device(bob)];
  const sender = await greeted(one);
  sender.send({ to: other });
  expect(await sender.next()).toEqual({ delivered: false });
  const receiver = await greeted(other, bob);
  sender.send({ to: other, n: 1 });
  expect(await receiver.next()).toEqual({ got: { to: other, n: 1 } });
  expect(await sender.next()).toEqual({ delivered: true });
  // A connection that takes the place of another is no coming and no going.
  const again = await greeted(other, bob);
  await receiver.end();
  again.close();
  await until(() => echo.ended.filter((id) => id === other).length === 2);
  expect(changes.filter(({ deviceId }) => deviceId === other).map(({ online }) => online)).toEqual([true, false]);
  sender.close();
});

it('knows when a client has got all that was sent, or has not', async () => {
  const id = await device();
  const client = await greeted(id);
  const connection = app.app.get(Presence).here('echo', id);
  expect(await Promise.all([connection?.confirmed(), connection?.confirmed()])).toEqual([true, true]);
  client.socket.terminate();
  expect(await connection?.confirmed()).toBe(false);
  expect(await connection?.confirmed()).toBe(false);
});

it('answers a bad frame and goes on; closes for what is too much', async () => {
  const id = await device();
  const client = await greeted(id);
  for (const bad of ['{', '[1]', '"text"', 'null', '{"__proto__":{"x":1}}']) client.send(bad);
  for (let bad = 0; bad < 4; bad += 1) expect(await client.next()).toEqual({ error: 'malformed_request' });
  expect(await client.next()).toHaveProperty('echo');
  client.socket.send(Buffer.from('{}'));
  expect((await client.end()).code).toBe(1003);
  const tooBig = await greeted(id);
  tooBig.send('x'.repeat(1025));
  expect((await tooBig.end()).code).toBe(1009);
  const noText = await greeted(id);
  noText.socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
  expect((await noText.end()).code).toBe(1007);
});

it('closes the connections of a session and of a device that have ended', async () => {
  const carol = await app.register('carol');
  const [first, second] = [await device(carol), await device(carol)];
  const one = await greeted(first, carol);
  const other = await greeted(second, carol);
  expect((await app.http.delete(`/devices/${second}`).set(carol.bearer)).body).toEqual({ status: 'revoked' });
  expect(await other.end()).toEqual({ code: 1008, reason: 'Session or device has ended' });
  expect(one.closed).toBeUndefined();
  await app.http.post('/api/v1/account/logout').set(carol.bearer);
  expect((await one.end()).code).toBe(1008);
});

it('notices within seconds what ended without anybody telling', async () => {
  const id = await device();
  const client = await greeted(id);
  await app.database.sql`DELETE FROM devices WHERE id = ${id}`;
  expect(await client.end()).toEqual({ code: 1008, reason: 'Session or device has ended' });
});
