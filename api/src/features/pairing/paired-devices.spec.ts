import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LonelyBus } from '../../realtime/bus.js';
import { PairedDevices } from './paired-devices.js';
import type { PairingRepository } from './pairing.repository.js';

const AWAY = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });

/** A bus that can be told that it has missed something. */
class GappyBus extends LonelyBus {
  gap(): void {
    this.tellOfGap();
  }
}

let now = 1000;
let isAway: boolean;
let peersOf: () => Promise<string[]>;
let bus: GappyBus;
let paired: PairedDevices;

beforeEach(async () => {
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  isAway = false;
  peersOf = async () => {
    if (isAway) throw AWAY;
    return ['phone'];
  };
  bus = new GappyBus();
  paired = new PairedDevices({ peersOf: () => peersOf() } as unknown as PairingRepository, bus);
  await paired.of('laptop');
});
afterEach(() => {
  jest.restoreAllMocks();
});

const lose = async (): Promise<void> => {
  now += 3001;
  isAway = true;
  await expect(paired.of('laptop')).rejects.toBe(AWAY);
};

describe('while something changes all the time', () => {
  it.each([
    [1, 'pairings of others', () => paired.changed(['tablet', 'old phone'])],
    [4, 'its own', () => paired.changed(['phone', 'watch'])],
    [4, 'nobody knows what, since news was missed', () => bus.gap()],
  ])('a device’s pairings are read %i times: %s', async (times, _, change) => {
    let read = 0;
    peersOf = async () => {
      read += 1;
      if (read <= 3) change();
      return ['phone'];
    };
    await paired.of('watch');
    expect(read).toBe(times);
  });
});

describe('while the database is away', () => {
  it('the last known pairings are told, and are not taken for known', async () => {
    expect(paired.lastKnown('laptop')).toBeUndefined();
    await lose();
    expect([paired.known('laptop'), paired.lastKnown('laptop')]).toEqual([undefined, ['phone']]);
    now += 600_000;
    await expect(paired.of('laptop')).rejects.toBe(AWAY);
    expect([paired.lastKnown('laptop'), paired.lastKnown('tablet')]).toEqual([['phone'], undefined]);
    isAway = false;
    await paired.of('laptop');
    expect(paired.lastKnown('laptop')).toBeUndefined();
  });

  it.each([
    ['a pairing has changed', () => paired.changed(['laptop'])],
    ['news of it may have been missed', () => bus.gap()],
  ])('nothing is told when %s', async (_, change) => {
    await lose();
    change();
    expect(paired.lastKnown('laptop')).toBeUndefined();
  });
});
