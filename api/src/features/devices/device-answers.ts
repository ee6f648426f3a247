import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { wireId } from '../../common/device-id.js';
import { Presence } from '../../realtime/presence.js';
import type { DeviceRow } from './device.js';
import type { DeviceAnswer, DeviceKeyAnswer } from './devices.dto.js';

/** Devices as clients are told of them. */
@Injectable()
export class DeviceAnswers {
  constructor(
    private readonly presence: Presence,
    private readonly clock: Clock,
  ) {}

  /** As the apps of the relay read it. */
  answer(device: DeviceRow): DeviceAnswer {
    const { id, name, kind } = device;
    return {
      id: wireId(id),
      name,
      type: kind,
      is_online: this.presence.isOnline(id),
      last_seen: this.lastSeen(device),
    };
  }

  /** As the clients of the signalling server read it. */
  key(device: DeviceRow): DeviceKeyAnswer {
    return {
      id: device.id,
      user_id: device.accountNumber,
      pubkey: device.publicKey,
      proved: device.keyProvenAt !== null,
      created_at: device.createdAt.toISOString(),
      last_seen: this.lastSeen(device),
    };
  }

  private lastSeen({ id, lastSeenAt }: DeviceRow): string | null {
    const at = this.presence.isOnline(id) ? this.clock.now() : lastSeenAt;
    return at?.toISOString() ?? null;
  }
}
