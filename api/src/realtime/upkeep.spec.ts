import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { FakeLine } from '../testing/fake-line.js';
import { FakeProtocol } from '../testing/fake-protocol.js';
import { LonelyBus } from './bus.js';
import { DeviceDirectory, type Standing } from './device-directory.js';
import { Presence } from './presence.js';
import { Upkeep } from './upkeep.js';

/** Everybody may stay but those who have ended. */
class Directory extends DeviceDirectory {
  readonly ended = new Set<string>();
  /** How long it takes to say so. */
  slownessMs = 0;

  find(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async standing(connections: readonly Standing[]): Promise<boolean[]> {
    const standing = connections.map(({ deviceId }) => !this.ended.has(deviceId));
    if (this.slownessMs > 0) await new Promise((resolve) => setTimeout(resolve, this.slownessMs));
    return standing;
  }
}

const protocol = new FakeProtocol('quiet');
let directory: Directory;
let presence: Presence;
let upkeep: Upkeep;

beforeEach(() => {
  jest.useFakeTimers();
  protocol.pingsOf.length = 0;
  const bus = new LonelyBus();
  presence = new Presence(bus);
  directory = new Directory();
  upkeep = new Upkeep(presence, directory, bus, true);
  upkeep.onApplicationBootstrap();
});
afterEach(async () => {
  const stopped = upkeep.onApplicationShutdown();
  await jest.runAllTimersAsync();
  await stopped;
  jest.useRealTimers();
});

function connect(id: string): [FakeLine, answer: () => void] {
  const line = new FakeLine();
  const connection = line.connection(protocol, { id, accountId: 'a', kind: 'web', provenKey: null });
  presence.enter(connection);
  return [line, () => connection.answered('')];
}

it('pings every connection every 30 seconds, and tells its protocol', async () => {
  const devices = Array.from({ length: 40 }, (_, n) => `device-${n}`);
  const lines = devices.map(connect);
  for (let round = 1; round <= 3; round += 1) {
    await jest.advanceTimersByTimeAsync(30_000);
    expect(lines.map(([line]) => line.pings.length)).toEqual(devices.map(() => round));
    expect(protocol.pingsOf).toHaveLength(round * devices.length);
    for (const [, answer] of lines) answer();
  }
});

it('cuts who has not answered until the next ping, and nobody else', async () => {
  const [[silent], [alive, answer]] = [connect('silent'), connect('alive')];
  await jest.advanceTimersByTimeAsync(30_000);
  answer();
  expect([silent.readyState, alive.readyState]).toEqual([1, 1]);
  await jest.advanceTimersByTimeAsync(30_000);
  expect([silent.readyState, alive.readyState]).toEqual([3, 1]);
});

it.each([
  ['', 0],
  [' and the database is slow', 1900],
])('closes within five seconds what has ended, though nobody has told of it%s', async (_how, slownessMs) => {
  directory.slownessMs = slownessMs;
  const devices = Array.from({ length: 40 }, (_, n) => `device-${n}`);
  const lines = devices.map((id) => connect(id)[0]);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(lines.every(({ readyState }) => readyState === 1)).toBe(true);
  for (const id of devices.slice(10)) directory.ended.add(id);
  await jest.advanceTimersByTimeAsync(5000);
  expect(lines.map(({ readyState }) => readyState)).toEqual(devices.map((_, n) => (n < 10 ? 1 : 3)));
});
