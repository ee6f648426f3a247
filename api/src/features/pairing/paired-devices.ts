import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Bus } from '../../realtime/bus.js';
import { PairingRepository } from './pairing.repository.js';

const REMEMBERED_DEVICES = 50_000;
/** How long a pairing that was ended at another process may be trusted when the bus has lost the news. */
const TRUST_MS = 3000;
const TOPIC = 'pairings';

/** Who is paired with whom, at hand for every frame. */
@Injectable()
export class PairedDevices {
  private readonly remembered = new LRUCache<string, readonly string[]>({ max: REMEMBERED_DEVICES, ttl: TRUST_MS });
  /** What is being read while something changes may be from before. */
  private changes = 0;

  constructor(
    private readonly pairings: PairingRepository,
    private readonly bus: Bus,
  ) {
    bus.subscribe(TOPIC, (message) => this.forget(JSON.parse(message)));
    bus.onGap(() => this.forget([...this.remembered.keys()]));
  }

  /** The devices that a device is paired with, the first paired first, if they are at hand. */
  known(deviceId: string): readonly string[] | undefined {
    return this.remembered.get(deviceId);
  }

  async of(deviceId: string): Promise<readonly string[]> {
    const known = this.known(deviceId);
    if (known) return known;
    for (;;) {
      const before = this.changes;
      const peers = await this.pairings.peersOf(deviceId);
      if (this.changes !== before) continue;
      this.remembered.set(deviceId, peers);
      return peers;
    }
  }

  /** Their pairings have changed: every process looks again. */
  changed(deviceIds: readonly string[]): void {
    this.forget(deviceIds);
    this.bus.publish(TOPIC, JSON.stringify(deviceIds));
  }

  private forget(deviceIds: readonly string[]): void {
    this.changes += 1;
    for (const deviceId of deviceIds) this.remembered.delete(deviceId);
  }
}
