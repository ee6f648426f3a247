import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BACKGROUND } from '../common/reaper.js';
import { Bus } from './bus.js';
import { DeviceDirectory } from './device-directory.js';
import { CLOSE, type DeviceSocket } from './device-socket.js';
import { Presence } from './presence.js';

const TURN_MS = 1000;
/** Each connection is pinged every so many turns. */
const PING_TURNS = 30;
/** Each connection's right to be there is looked up every so many turns: what has ended closes within five seconds. */
const STANDING_TURNS = 3;
/** Connections of one look-up. */
const MOST_AT_ONCE = 1000;

/**
 * Looks after the connections of this process, a part of them each second: pings, and whether session, account and device
 * are still there. The database says so, whatever happens to the bus; the bus only makes it sooner.
 */
@Injectable()
export class Upkeep implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('sockets');
  private timer: NodeJS.Timeout | undefined;
  private turn = 0;
  /** Which connections are to be looked up: what is left when their `order` is divided by `STANDING_TURNS`. */
  private readonly due = new Set<number>();
  private checking: Promise<void> | undefined;

  constructor(
    private readonly presence: Presence,
    private readonly devices: DeviceDirectory,
    private readonly bus: Bus,
    @Inject(BACKGROUND) private readonly background: boolean,
  ) {
    bus.subscribe('recheck', (accountId) => void this.tryToCheck(presence.ofAccount(accountId)));
  }

  onApplicationBootstrap(): void {
    if (this.background) this.timer = setInterval(() => this.takeTurn(), TURN_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.checking;
  }

  /** Something of an account has ended: closes what has to end with it, here and elsewhere. */
  async recheck(accountId: string): Promise<void> {
    this.bus.publish('recheck', accountId);
    await this.check(this.presence.ofAccount(accountId));
  }

  private takeTurn(): void {
    this.turn += 1;
    this.due.add(this.turn % STANDING_TURNS);
    for (const connection of this.presence.connections) {
      if (connection.order % PING_TURNS === this.turn % PING_TURNS) connection.ping();
    }
    // A slow database is not asked more because it is slow: whose turn it is meanwhile is looked up when it has answered.
    this.checking ??= this.tryToCheck(this.takeDue()).finally(() => {
      this.checking = undefined;
    });
  }

  private takeDue(): DeviceSocket[] {
    const taken = Array.from(this.presence.connections).filter(({ order }) => this.due.has(order % STANDING_TURNS));
    this.due.clear();
    return taken;
  }

  private async tryToCheck(connections: readonly DeviceSocket[]): Promise<void> {
    await this.check(connections).catch((error: Error) => {
      this.logger.warn(`whether sockets may stay is not known: ${error.message}`);
    });
  }

  private async check(connections: readonly DeviceSocket[]): Promise<void> {
    for (let start = 0; start < connections.length; start += MOST_AT_ONCE) {
      const some = connections.slice(start, start + MOST_AT_ONCE);
      const standing = await this.devices.standing(
        some.map(({ caller, device }) => ({ sessionId: caller.sessionId, deviceId: device.id })),
      );
      for (const [index, connection] of some.entries()) {
        if (!standing[index]) connection.close(CLOSE.policy, 'Session or device has ended');
      }
    }
  }
}
