import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { GroupRoom } from './group-room.js';
import { RemovedRoomsRepository } from './removed-rooms.repository.js';

/** A lease in neighbour timeouts: destroying a room takes two at most. */
const LEASE_TIMEOUTS = 3;

/**
 * Destroys rooms a second time, a while after their groups were removed. ejabberd 23.01 says that a room is gone also
 * when its database did not forget it, and opens it again later; and one that was frozen may create a room long after
 * its creation was given up and undone.
 */
@Injectable()
export class RemovedRooms {
  private readonly leaseMs: number;

  constructor(
    private readonly removed: RemovedRoomsRepository,
    private readonly room: GroupRoom,
    private readonly clock: Clock,
    @Inject(CONFIG) { neighbours }: Config,
  ) {
    this.leaseMs = LEASE_TIMEOUTS * neighbours.timeoutMs;
  }

  /** Destroys up to `most` rooms whose time has come. One that fails waits for its lease to run out. */
  async destroyAgain(most: number, onFailure: (error: unknown) => void, stopping?: AbortSignal): Promise<void> {
    for (let destroyed = 0; destroyed < most && !stopping?.aborted; destroyed += 1) {
      const now = this.clock.now();
      const groupId = await this.removed.claim(now, new Date(now.getTime() + this.leaseMs));
      if (groupId === undefined) return;
      await this.destroy(groupId).catch(onFailure);
    }
  }

  private async destroy(groupId: string): Promise<void> {
    await this.room.destroy(groupId);
    await this.removed.forget(groupId);
  }
}
