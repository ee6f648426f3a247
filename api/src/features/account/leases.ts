import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';

/**
 * A lease in neighbour timeouts: longer than one step may take, so that nobody takes a row over from somebody who is at
 * work. A step that takes longer all the same finds its lease lost before the next.
 */
const LEASE_TIMEOUTS = 6;
/** How soon something that failed is tried again. */
const RETRY_MS = 5000;

/** Until when somebody works on an account, as `lease_until` holds it. */
@Injectable()
export class Leases {
  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  fresh(): Date {
    return new Date(this.clock.milliseconds() + LEASE_TIMEOUTS * this.config.neighbours.timeoutMs);
  }

  /** A wait of `ms`, but no longer than a neighbour is waited for. */
  wait(ms: number): Promise<void> {
    return delay(Math.min(ms, this.config.neighbours.timeoutMs));
  }

  /** The end of a lease that is given back after a failure. */
  retry(): Date {
    return new Date(this.clock.milliseconds() + RETRY_MS);
  }
}
