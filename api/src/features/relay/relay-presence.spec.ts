import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DeviceSocket } from '../../realtime/device-socket.js';
import { Presence } from '../../realtime/presence.js';
import { FakeBus } from '../../testing/fake-bus.js';
import { FakeLine } from '../../testing/fake-line.js';
import { FakeProtocol } from '../../testing/fake-protocol.js';
import { until } from '../../testing/until.js';
import type { PairedDevices } from '../pairing/paired-devices.js';
import { RelayPresence } from './relay-presence.js';

/** The other process tells of a device. */
const tell = (bus: FakeBus, deviceId: string, online: boolean, order = 1): void =>
  bus.hear('presence', JSON.stringify({ entries: [['relay', deviceId, 'a', order, online]] }));

const PEERS: Record<string, readonly string[]> = { phone: ['laptop'], laptop: ['phone'] };
const protocol = new FakeProtocol('relay');
const of = jest.fn<PairedDevices['of']>();
let pairingsChanged: (deviceIds: readonly string[]) => void;
let bus: FakeBus;
let presence: Presence;

beforeEach(() => {
  Logger.overrideLogger(false);
  of.mockReset().mockImplementation(async (id) => PEERS[id] ?? []);
  bus = new FakeBus();
  presence = new Presence(bus);
  const onChange: PairedDevices['onChange'] = (watcher) => {
    pairingsChanged = watcher;
  };
  new RelayPresence(presence, { of, onChange } as unknown as PairedDevices);
});

function connect(id: string): [FakeLine, DeviceSocket] {
  const line = new FakeLine();
  const connection = line.connection(protocol, { id, accountId: 'a', kind: 'host', provenKey: null });
  presence.enter(connection);
  return [line, connection];
}

/** By then everything has happened that waits for nothing. */
const settle = () => nextTurn();
const online = { type: 'event', event: 'DEVICE_ONLINE', device_id: 'phone' };
const offline = { type: 'event', event: 'DEVICE_OFFLINE', device_id: 'phone' };

it('tells the paired, and nobody else', async () => {
  const [[laptop], [other]] = [connect('laptop'), connect('other')];
  const [phone, connection] = connect('phone');
  await settle();
  presence.leave(connection);
  await settle();
  expect(laptop.sent).toEqual([online, offline]);
  expect([other.sent, phone.sent]).toEqual([[], []]);
});

it('tells last what is true, however long the look-ups take', async () => {
  const [laptop] = connect('laptop');
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  of.mockReturnValueOnce(promise);
  const [, connection] = connect('phone');
  presence.leave(connection);
  await settle();
  resolve(['laptop']);
  await settle();
  expect(laptop.sent).toEqual([online, offline]);
});

it('tells it when the database is back', async () => {
  const [laptop] = connect('laptop');
  const [, connection] = connect('phone');
  await settle();
  of.mockRejectedValue(new Error('away'));
  presence.leave(connection);
  connect('phone');
  await settle();
  expect(laptop.sent).toEqual([online]);
  of.mockResolvedValue(['laptop']);
  await until(() => laptop.sent.length >= 3);
  expect(laptop.sent).toEqual([online, offline, online]);
});

it.each(['phone', 'laptop'])(
  'tells that a device has gone whose pairings went first, when the %s came last',
  async (last) => {
    const connections = new Map<string, [FakeLine, DeviceSocket]>();
    for (const id of last === 'phone' ? ['laptop', 'phone'] : ['phone', 'laptop']) connections.set(id, connect(id));
    await settle();
    of.mockResolvedValue([]);
    presence.leave(connections.get('phone')?.[1] as DeviceSocket);
    await settle();
    expect(connections.get('laptop')?.[0].sent.at(-1)).toEqual(offline);
  },
);

it('tells it when they were paired while both were there', async () => {
  of.mockResolvedValue([]);
  const [[laptop], [, connection]] = [connect('laptop'), connect('phone')];
  await settle();
  of.mockImplementation(async (id) => PEERS[id] ?? []);
  pairingsChanged(['phone', 'laptop']);
  await settle();
  of.mockResolvedValue([]);
  pairingsChanged(['phone', 'laptop']);
  presence.leave(connection);
  await settle();
  expect(laptop.sent).toEqual([offline]);
});

it('tells it of a device that was at another process before', async () => {
  tell(bus, 'phone', true);
  const [laptop] = connect('laptop');
  await settle();
  of.mockResolvedValue([]);
  tell(bus, 'phone', false);
  await settle();
  expect(laptop.sent).toEqual([offline]);
});

it('tells nobody who is no longer paired of a device that is paired with others', async () => {
  const [laptop] = connect('laptop');
  const [, connection] = connect('phone');
  await settle();
  of.mockResolvedValue(['tablet']);
  presence.leave(connection);
  await settle();
  expect(laptop.sent).toEqual([online]);
});
