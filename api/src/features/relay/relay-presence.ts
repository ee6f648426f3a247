import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { wireId } from '../../common/device-id.js';
import type { DeviceSocket } from '../../realtime/device-socket.js';
import { Presence, type PresenceChange } from '../../realtime/presence.js';
import { PairedDevices } from '../pairing/paired-devices.js';
import { RELAY } from './relay-delivery.js';

/** When pairings that could not be looked up are looked up again. */
const RETRY_MS = 1000;

/** Tells the devices of this process who of those that they are paired with comes and goes, wherever that is. */
@Injectable()
export class RelayPresence {
  private readonly logger = new Logger('relay');
  /** Of each device that comes or goes, what is still to be told: one change after the other, so that the last is the truth. */
  private readonly untold = new Map<string, PresenceChange[]>();
  /** With whom each device that is connected was paired when it was last looked up: one that is revoked is paired with nobody. */
  private readonly lastPeers = new Map<string, Set<string>>();

  constructor(
    private readonly presence: Presence,
    private readonly paired: PairedDevices,
  ) {
    presence.watch((change) => {
      if (change.protocol === RELAY) this.note(change);
    });
    paired.onChange((deviceIds) => void this.rememberNew(deviceIds));
  }

  private note(change: PresenceChange): void {
    const untold = this.untold.get(change.deviceId);
    if (untold) untold.push(change);
    else void this.tellAll(change.deviceId, [change]);
  }

  private async tellAll(deviceId: string, untold: PresenceChange[]): Promise<void> {
    this.untold.set(deviceId, untold);
    for (let change = untold.shift(); change; change = untold.shift()) await this.tell(change);
    this.untold.delete(deviceId);
  }

  private async tell(change: PresenceChange): Promise<void> {
    const { deviceId, online } = change;
    const peers = await this.peersOf(change);
    const told = online || peers.size > 0 ? peers : this.lastPeers.get(deviceId);
    this.lastPeers.delete(deviceId);
    if (online) this.remember(deviceId, peers);
    const event = online ? 'DEVICE_ONLINE' : 'DEVICE_OFFLINE';
    for (const connection of this.others(change)) {
      if (told?.has(connection.device.id)) connection.send({ type: 'event', event, device_id: wireId(deviceId) });
    }
  }

  /** Nobody, when nobody is there who could be told. */
  private async peersOf(change: PresenceChange): Promise<Set<string>> {
    for (let attempt = 1; this.isOfInterest(change); attempt += 1) {
      try {
        return new Set(await this.paired.of(change.deviceId));
      } catch (error) {
        const why = error instanceof Error ? error.message : 'unknown';
        if (attempt === 1) this.logger.warn(`who is to be told of a device is not known: ${why}`);
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
    return new Set();
  }

  /** Who is paired while connected has to be known as well when that ends by a revocation. What can't be looked up is not told. */
  private async rememberNew(deviceIds: readonly string[]): Promise<void> {
    for (const deviceId of deviceIds) {
      if (!this.presence.here(RELAY, deviceId)) continue;
      const peers = await this.paired.of(deviceId).catch(() => []);
      this.remember(deviceId, new Set(peers));
    }
  }

  /** Until they go: what is not connected is not remembered. */
  private remember(deviceId: string, peers: ReadonlySet<string>): void {
    for (const peer of peers) {
      if (this.presence.isOnline(deviceId, RELAY)) this.rememberPair(deviceId, peer);
      if (this.presence.isOnline(peer, RELAY)) this.rememberPair(peer, deviceId);
    }
  }

  private rememberPair(deviceId: string, peer: string): void {
    const known = this.lastPeers.get(deviceId);
    if (known) known.add(peer);
    else this.lastPeers.set(deviceId, new Set([peer]));
  }

  /** Whoever comes here alone may still have its peers at other processes. */
  private isOfInterest(change: PresenceChange): boolean {
    if (this.others(change).length > 0) return true;
    const isHere = this.presence.here(RELAY, change.deviceId) !== undefined;
    return change.online && isHere && this.presence.hasRemote;
  }

  private others({ deviceId, accountId }: PresenceChange): DeviceSocket[] {
    return this.presence
      .ofAccount(accountId)
      .filter(({ protocol, device }) => protocol.name === RELAY && device.id !== deviceId);
  }
}
