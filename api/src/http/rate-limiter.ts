import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../common/clock.js';
import { Problem } from '../common/problem.js';
import { CONFIG, type Config } from '../config/config.js';
import { RATE_LIMITS, type RateLimitName, type RateLimitScope } from './rate-limits.js';

interface Window {
  calls: number;
  endsAt: number;
}

/** How many callers a limit remembers; the longest unseen is forgotten first, so memory stays flat under a flood. */
const REMEMBERED_CALLERS = 50_000;

/** Counts calls in fixed windows, in the memory of this process. */
@Injectable()
export class RateLimiter {
  private readonly windows = new Map<RateLimitName, LRUCache<string, Window>>();
  private readonly factor: number;

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    this.factor = config.http.rateLimitFactor;
  }

  /** Counts one call. @throws Problem rate_limited with the seconds until the window ends */
  take(name: RateLimitName, caller: Partial<Record<RateLimitScope, string>>): void {
    const limit = RATE_LIMITS[name];
    const key = caller[limit.per];
    if (key === undefined) throw new Error(`the limit ${name} counts by ${limit.per}, which the route does not know`);
    const now = this.clock.milliseconds();
    const window = this.windowOf(name, key, now);
    window.calls += 1;
    if (window.calls <= limit.calls * this.factor) return;
    const retryAfterSeconds = Math.ceil((window.endsAt - now) / 1000);
    throw new Problem('rate_limited', `try again in ${retryAfterSeconds} seconds`, { retryAfterSeconds });
  }

  private windowOf(name: RateLimitName, key: string, now: number): Window {
    const callers = this.callersOf(name);
    const known = callers.get(key);
    if (known && known.endsAt > now) return known;
    const fresh = { calls: 0, endsAt: now + RATE_LIMITS[name].windowSeconds * 1000 };
    callers.set(key, fresh);
    return fresh;
  }

  private callersOf(name: RateLimitName): LRUCache<string, Window> {
    let callers = this.windows.get(name);
    if (!callers) {
      callers = new LRUCache({ max: REMEMBERED_CALLERS });
      this.windows.set(name, callers);
    }
    return callers;
  }
}
