import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../common/clock.js';
import { type Counter, Metrics } from '../common/metrics.js';
import { networkOf } from '../common/network.js';
import { Problem } from '../common/problem.js';
import { CONFIG, type Config } from '../config/config.js';
import { RATE_LIMITS, type RateLimitName, type RateLimitScope } from './rate-limits.js';

interface Window {
  calls: number;
  endsAt: number;
}

/** Who calls, by everything that a limit may count by. */
export type CountedBy = Partial<Record<RateLimitScope, string>>;

/** How many callers a limit remembers; the longest unseen is forgotten first, so memory stays flat under a flood. */
const REMEMBERED_CALLERS = 50_000;

/** Counts calls in fixed windows, in the memory of this process. */
@Injectable()
export class RateLimiter {
  private readonly windows = new Map<RateLimitName, LRUCache<string, Window>>();
  private readonly factor: number;
  private readonly exceeded: Counter<'limit'>;

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
    metrics: Metrics,
  ) {
    this.factor = config.http.rateLimitFactor;
    this.exceeded = metrics.counter('rate_limit_exceeded_total', 'Calls beyond a limit of rate-limits.ts', ['limit']);
  }

  /** Counts one call. @throws Problem rate_limited with the seconds until the window ends */
  take(name: RateLimitName, caller: CountedBy): void {
    const window = this.windowOf(name, caller);
    window.calls += 1;
    if (window.calls <= RATE_LIMITS[name].calls * this.factor) return;
    this.exceeded.inc({ limit: name });
    throw this.refusal(window);
  }

  /** The same for somebody who calls often: whether a call is within the limit, without a look-up for each. */
  counter(name: RateLimitName, caller: CountedBy): () => boolean {
    const most = RATE_LIMITS[name].calls * this.factor;
    let window = this.windowOf(name, caller);
    return () => {
      if (window.endsAt <= this.clock.milliseconds()) window = this.windowOf(name, caller);
      window.calls += 1;
      if (window.calls <= most) return true;
      this.exceeded.inc({ limit: name });
      return false;
    };
  }

  /** Takes a call back that turned out not to count. */
  giveBack(name: RateLimitName, caller: CountedBy): void {
    const window = this.windowOf(name, caller);
    window.calls = Math.max(0, window.calls - 1);
  }

  /** The calls of the present window. */
  calls(name: RateLimitName, caller: CountedBy): number {
    return this.windowOf(name, caller).calls;
  }

  private refusal({ endsAt }: Window): Problem {
    const retryAfterSeconds = Math.ceil((endsAt - this.clock.milliseconds()) / 1000);
    return new Problem('rate_limited', `try again in ${retryAfterSeconds} seconds`, { retryAfterSeconds });
  }

  private windowOf(name: RateLimitName, caller: CountedBy): Window {
    const { per, windowSeconds } = RATE_LIMITS[name];
    const counted = caller[per];
    if (counted === undefined) throw new Error(`the limit ${name} counts by ${per}, which the route does not know`);
    const key = per === 'address' ? networkOf(counted) : counted;
    const now = this.clock.milliseconds();
    const callers = this.callersOf(name);
    const known = callers.get(key);
    if (known && known.endsAt > now) return known;
    const fresh = { calls: 0, endsAt: now + windowSeconds * 1000 };
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
