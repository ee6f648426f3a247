import { Injectable, Logger } from '@nestjs/common';
import { wireId } from '../../common/device-id.js';
import { Presence, type PresenceChange } from '../../realtime/presence.js';
import { PairedDevices } from '../pairing/paired-devices.js';
import { RELAY } from './relay-delivery.js';

/** Tells the devices of this process who of those that they are paired with comes and goes, wherever that is. */
@Injectable()
export class RelayPresence {
  private readonly logger = new Logger('relay');

  constructor(
    private readonly presence: Presence,
    private readonly paired: PairedDevices,
  ) {
    presence.watch((change) => {
      if (change.protocol !== RELAY) return;
      this.tell(change).catch((error: unknown) => {
        this.logger.warn(`nobody was told of a device: ${error instanceof Error ? error.message : 'unknown'}`);
      });
    });
  }

  private async tell({ deviceId, accountId, online }: PresenceChange): Promise<void> {
    const others = this.presence
      .ofAccount(accountId)
      .filter(({ protocol, device }) => protocol.name === RELAY && device.id !== deviceId);
    if (others.length === 0) return;
    const peers = await this.paired.of(deviceId);
    const event = online ? 'DEVICE_ONLINE' : 'DEVICE_OFFLINE';
    for (const connection of others) {
      if (peers.includes(connection.device.id)) {
        connection.send({ type: 'event', event, device_id: wireId(deviceId) });
      }
    }
  }
}
