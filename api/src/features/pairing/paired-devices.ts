import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { isDatabaseUnavailable } from '../../database/database-errors.js';
import { Bus } from '../../realtime/bus.js';
import { PairingRepository } from './pairing.repository.js';

const REMEMBERED_DEVICES = 50_000;
/** How long a pairing that was ended at another process may be trusted when the bus has lost the news. */
const TRUST_MS = 3000;
/** How long a database that was away is taken to be so: what can't wait must not wait for each look-up to fail. */
const AWAY_MS = 3000;
const TOPIC = 'pairings';

/** Who is paired with whom, at hand for every frame. */
@Injectable()
export class PairedDevices {
  private readonly remembered = new LRUCache<string, readonly string[]>({
    max: REMEMBERED_DEVICES,
    ttl: TRUST_MS,
    noDeleteOnStaleGet: true,
  });
  /** What of a device is being read while its pairings change may be from before: the number of its last change. */
  private readonly lastChanges = new LRUCache<string, number>({ max: REMEMBERED_DEVICES });
  private lastGap = 0;
  private changes = 0;
  private awayUntil = 0;
  private readonly watchers: ((deviceIds: readonly string[]) => void)[] = [];

  constructor(
    private readonly pairings: PairingRepository,
    private readonly bus: Bus,
  ) {
    bus.subscribe(TOPIC, (message) => this.forget(JSON.parse(message)));
    bus.onGap(() => this.forgetAll());
  }

  /** The devices that a device is paired with, the first paired first, if they are at hand. */
  known(deviceId: string): readonly string[] | undefined {
    return this.remembered.get(deviceId);
  }

  /** While the database is away: those that it was paired with when that was last known, unless it has changed since. */
  lastKnown(deviceId: string): readonly string[] | undefined {
    return performance.now() < this.awayUntil ? this.remembered.get(deviceId, { allowStale: true }) : undefined;
  }

  async of(deviceId: string): Promise<readonly string[]> {
    const known = this.known(deviceId);
    if (known) return known;
    for (;;) {
      const before = this.changes;
      const peers = await this.read(deviceId);
      if (this.hasChangedSince(deviceId, before)) continue;
      this.remembered.set(deviceId, peers);
      return peers;
    }
  }

  /** Their pairings have changed: every process looks again. */
  changed(deviceIds: readonly string[]): void {
    this.forget(deviceIds);
    this.bus.publish(TOPIC, JSON.stringify(deviceIds));
  }

  /** `watcher` runs in every process when pairings of these devices have begun or ended. */
  onChange(watcher: (deviceIds: readonly string[]) => void): void {
    this.watchers.push(watcher);
  }

  private async read(deviceId: string): Promise<string[]> {
    try {
      const peers = await this.pairings.peersOf(deviceId);
      this.awayUntil = 0;
      return peers;
    } catch (error) {
      if (isDatabaseUnavailable(error)) this.awayUntil = performance.now() + AWAY_MS;
      throw error;
    }
  }

  private hasChangedSince(deviceId: string, change: number): boolean {
    return change < Math.max(this.lastGap, this.lastChanges.get(deviceId) ?? 0);
  }

  private forget(deviceIds: readonly string[]): void {
    this.changes += 1;
    for (const deviceId of deviceIds) {
      this.remembered.delete(deviceId);
      this.lastChanges.set(deviceId, this.changes);
    }
    for (const watcher of this.watchers) watcher(deviceIds);
  }

  /** Also what is trusted no more, but would be used while the database is away. */
  private forgetAll(): void {
    this.changes += 1;
    this.lastGap = this.changes;
    this.remembered.clear();
  }
}
