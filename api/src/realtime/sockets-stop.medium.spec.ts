import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { TestApp } from '../testing/app.js';
import { SocketClient } from '../testing/socket-client.js';

let app: TestApp;
let url: string;

beforeEach(async () => {
  app = await TestApp.start();
  await app.app.listen(0, '127.0.0.1');
  url = `ws://127.0.0.1:${(app.app.getHttpServer().address() as AddressInfo).port}/signal`;
});
afterEach(() => app.stop());

const RESTART = { code: 1012, reason: 'Service restart' };

it('tells every client to come again, also who has not said yet who it is', async () => {
  const { bearer } = await app.register();
  await app.http.post('/devices/register').set(bearer).send({ device_id: 'here', pubkey: 'key' });
  const [guest, stranger] = [
    await SocketClient.connect(`${url}?device_id=here`, { headers: bearer }),
    await SocketClient.connect(url),
  ];
  await guest.next();
  const stopped = app.app.close();
  expect([await guest.end(), await stranger.end()]).toEqual([RESTART, RESTART]);
  await stopped;
});

it('notes when devices were last here', async () => {
  const { bearer } = await app.register();
  await app.http.post('/devices/register').set(bearer).send({ device_id: 'phone', pubkey: 'key' });
  const lastSeen = async (): Promise<string | null> => (await app.http.get('/devices').set(bearer)).body[0].last_seen;
  expect(await lastSeen()).toBeNull();
  const phone = await SocketClient.connect(`${url}?device_id=phone`, { headers: bearer });
  await phone.next();
  // The process ends before it would have noted anything while it ran.
  await app.restart({});
  const noted = await lastSeen();
  expect(Date.now() - Date.parse(noted ?? '')).toBeLessThan(60_000);
});
