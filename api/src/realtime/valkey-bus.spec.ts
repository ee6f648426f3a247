import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Metrics } from '../common/metrics.js';
import { Secret } from '../common/secret.js';
import { FakeLine } from '../testing/fake-line.js';
import { FakeProtocol } from '../testing/fake-protocol.js';
import { Presence } from './presence.js';
import { ValkeyBus } from './valkey-bus.js';

type Hears = (text: string) => void;

/** A server that passes on what is published, unless it has a reason not to. */
class FakeServer {
  readonly channels = new Map<string, Set<Hears>>();
  refuses: (text: string) => boolean = () => false;

  async publish(channel: string, text: string): Promise<void> {
    await Promise.resolve();
    if (this.refuses(text)) throw new Error('The queue is full');
    for (const hears of this.channels.get(channel) ?? []) hears(text);
  }
}

class FakeClient extends EventEmitter {
  isReady = false;

  async connect(): Promise<void> {
    await Promise.resolve();
    this.isReady = true;
    this.emit('ready');
  }

  duplicate(): FakeClient {
    return new FakeClient();
  }

  publish(channel: string, text: string): Promise<void> {
    return server.publish(channel, text);
  }

  async subscribe(channels: readonly string[], hears: Hears): Promise<void> {
    for (const channel of channels) {
      const all = server.channels.get(channel) ?? new Set();
      server.channels.set(channel, all.add(hears));
    }
  }

  destroy(): void {}
}

jest.unstable_mockModule('@redis/client', () => ({ createClient: () => new FakeClient() }));

const protocol = new FakeProtocol('quiet');
let server: FakeServer;
let buses: ValkeyBus[];
let here: Presence;
let there: Presence;

beforeEach(async () => {
  Logger.overrideLogger(false);
  jest.useFakeTimers();
  server = new FakeServer();
  buses = [0, 1].map(() => new ValkeyBus(new Secret('redis://valkey'), 'veil.test', true, new Metrics()));
  [here, there] = buses.map((bus) => new Presence(bus)) as [Presence, Presence];
  for (const bus of buses) await bus.onApplicationBootstrap();
  await jest.advanceTimersByTimeAsync(3000);
  expect(buses.map(({ connected }) => connected)).toEqual([true, true]);
});
afterEach(async () => {
  for (const bus of buses) await bus.onApplicationShutdown();
  jest.useRealTimers();
});

function connect() {
  const device = { id: 'phone', accountId: 'a', kind: 'web', provenKey: null };
  const connection = new FakeLine().connection(protocol, device);
  here.enter(connection);
  return connection;
}

/** The next of what is said about who is there is refused. */
function losePresence(): void {
  server.refuses = (text) => {
    const refused = text.split('\n')[1] === 'presence';
    if (refused) server.refuses = () => false;
    return refused;
  };
}

it('tells others who comes and goes', async () => {
  const connection = connect();
  await jest.advanceTimersByTimeAsync(0);
  expect(there.isOnline('phone')).toBe(true);
  here.leave(connection);
  await jest.advanceTimersByTimeAsync(0);
  expect(there.isOnline('phone')).toBe(false);
});

it('makes up for what it could not publish, without a new connection', async () => {
  losePresence();
  const connection = connect();
  await jest.advanceTimersByTimeAsync(0);
  expect(there.isOnline('phone')).toBe(false);
  await jest.advanceTimersByTimeAsync(2000);
  expect(there.isOnline('phone')).toBe(true);
  losePresence();
  here.leave(connection);
  await jest.advanceTimersByTimeAsync(0);
  expect(there.isOnline('phone')).toBe(true);
  // Not as often as it happens: all of it is said again.
  await jest.advanceTimersByTimeAsync(2000);
  expect(there.isOnline('phone')).toBe(true);
  await jest.advanceTimersByTimeAsync(4000);
  expect(there.isOnline('phone')).toBe(false);
});

it('tries again and again while nothing can be published', async () => {
  server.refuses = (text) => text.split('\n')[1] === 'presence';
  connect();
  await jest.advanceTimersByTimeAsync(10_000);
  expect(there.isOnline('phone')).toBe(false);
  server.refuses = () => false;
  await jest.advanceTimersByTimeAsync(6000);
  expect(there.isOnline('phone')).toBe(true);
});
