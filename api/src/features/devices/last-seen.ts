import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Presence } from '../../realtime/presence.js';
import { DevicesRepository } from './devices.repository.js';

/** Notes when devices were last here: many at once, since a thousand may come in the same second. */
@Injectable()
export class LastSeen {
  private readonly unwritten = new Set<string>();

  constructor(
    private readonly devices: DevicesRepository,
    private readonly clock: Clock,
    presence: Presence,
  ) {
    presence.watch(({ deviceId, here }) => {
      if (here) this.unwritten.add(deviceId);
    });
  }

  async write(): Promise<void> {
    if (this.unwritten.size === 0) return;
    const ids = [...this.unwritten];
    this.unwritten.clear();
    try {
      await this.devices.seen(ids, this.clock.now());
    } catch (error) {
      for (const id of ids) this.unwritten.add(id);
      throw error;
    }
  }
}
