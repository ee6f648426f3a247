/**
 * Two API processes relay as one. What they tell each other goes through Valkey; what that loses while it is away stands in
 * the table, and arrives all the same, in order and once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { uniqueName } from '../support/api.js';
import { OwnApi } from '../support/own-api.js';
import { pairApps, RelayApp, type RelayFrame } from '../support/relay-app.js';
import { Valkey } from '../support/valkey.js';
import { until } from '../support/wait.js';

const AWAY_MS = 30_000;
const password = 'a Long enough one 4711';
let valkey: Valkey;
let apis: OwnApi[];
let host: RelayApp;
let client: RelayApp;
let pairing: number;

beforeAll(async () => {
  valkey = await Valkey.start();
  apis = await Promise.all([0, 1].map(() => OwnApi.start({ REDIS_URL: valkey.url })));
  await untilPeers(1);
});
afterAll(async () => {
  await Promise.all(apis.map((api) => api.stop()));
  await valkey.stop();
});

/** The host is at one process, the client at the other. */
beforeEach(async () => {
  const username = uniqueName('sim');
  await new RelayApp('client').rest.post('/auth/register', { username, password });
  const [one, other] = apis.map(({ port }) => port);
  [host, client] = [
    await new RelayApp('host', one).setUp(username, password),
    await new RelayApp('client', other).setUp(username, password),
  ];
  pairing = await pairApps(host, client);
  await host.connect();
  await client.connect();
});
afterEach(() => {
  host.close();
  client.close();
});

const untilPeers = (count: number) =>
  until(`each hears of ${count}`, async () => {
    const peers = await Promise.all(apis.map((api) => api.metric('veil_bus_peers')));
    return peers.every((heard) => heard === count);
  });

const sms = (n: number): RelayFrame => ({
  ...{ type: 'command', cmd: 'SEND_SMS', sim: 1, to: '110', body: `text ${n}`, req_id: `${client.id}-${n}` },
});

/** What the host has got, in its order. */
const bodies = () => host.frames.filter(({ type }) => type === 'command').map(({ body }) => body);
const texts = (count: number) => Array.from({ length: count }, (_, n) => `text ${n}`);

it('commands, answers, signalling and news of devices cross, in order and once', async () => {
  for (let n = 0; n < 100; n += 1) client.send(sms(n));
  await until('all have arrived', () => bodies().length === 100);
  expect(bodies()).toEqual(texts(100));
  host.send({ type: 'event', event: 'SMS_SENT', status: 'ok', req_id: `${client.id}-0` });
  expect(await client.event('SMS_SENT')).toMatchObject({ from_device_id: host.id });
  client.send({ type: 'webrtc', action: 'offer', sdp: 'v=0', req_id: 'call' });
  expect(await host.next(({ action }) => action === 'offer')).toMatchObject({ from_device_id: client.id });
  host.close();
  expect(await client.event('DEVICE_OFFLINE')).toMatchObject({ device_id: host.id });
  client.send({ type: 'webrtc', action: 'offer', sdp: 'v=0', req_id: 'late' });
  expect(await client.next(({ error }) => error !== undefined)).toMatchObject({
    error: 'target_offline',
    req_id: 'late',
  });
  // The host's first coming may have been told late.
  client.frames.length = 0;
  await host.connect();
  expect(await client.event('DEVICE_ONLINE')).toMatchObject({ device_id: host.id });
});

it('a host that connects to the other process is replaced at this one, and gets there what comes', async () => {
  const replaced = host.ended();
  host = host.twin();
  host.port = client.port;
  await host.connect();
  expect(await replaced).toEqual([1008, 'Replaced by new connection']);
  for (let n = 0; n < 10; n += 1) client.send(sms(n));
  await until('all have arrived', () => bodies().length === 10);
  expect(bodies()).toEqual(texts(10));
});

it('a pairing that is ended at one is ended at the other', async () => {
  client.send(sms(0));
  await until('it has arrived', () => bodies().length === 1);
  await host.rest.delete(`/pairings/${pairing}`);
  // What it had taken before it heard of the end is answered with silence.
  await until('the other process refuses', async () => {
    client.send(sms(1));
    await delay(100);
    return client.frames.some(({ error }) => error === 'no paired host');
  });
});

it('nothing is lost or doubled while Valkey is away for half a minute', async () => {
  client.send(sms(0));
  await until('it has arrived', () => bodies().length === 1);
  await valkey.stop();
  for (let n = 1; n < 50; n += 1) {
    client.send(sms(n));
    await delay(AWAY_MS / 49);
  }
  await until('all have arrived by the table', () => bodies().length === 50);
  host.send({ type: 'event', event: 'INCOMING_SMS', sim: 1, from: '+1', body: 'meanwhile' });
  expect(await client.event('INCOMING_SMS')).toMatchObject({ body: 'meanwhile' });
  await valkey.resume();
  await untilPeers(1);
  client.send(sms(50));
  await until('they tell each other again', () => bodies().length === 51);
  expect(bodies()).toEqual(texts(51));
  expect(client.frames.filter(({ event }) => event === 'INCOMING_SMS')).toEqual([]);
});
