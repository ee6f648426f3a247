import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Drain } from '../../http/drain.js';
import { Presence } from '../../realtime/presence.js';
import { DevicesRepository } from './devices.repository.js';

/** Notes when devices were last here: many at once, since a thousand may come in the same second. */
@Injectable()
export class LastSeen implements BeforeApplicationShutdown {
  private readonly logger = new Logger('last-seen');
  private readonly unwritten = new Set<string>();

  constructor(
    private readonly devices: DevicesRepository,
    private readonly clock: Clock,
    private readonly drain: Drain,
    presence: Presence,
  ) {
    presence.watch(({ deviceId, here }) => {
      if (here) this.unwritten.add(deviceId);
    });
  }

  /** Connections end with the process: what that tells is written as well. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.drain.beforeApplicationShutdown();
    await this.write().catch((error: Error) => this.logger.warn(`who was here is not known: ${error.message}`));
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
