import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../common/clock.js';
import { type Counter, Metrics } from '../common/metrics.js';
import { networkOf } from '../common/network.js';
import { Problem } from '../common/problem.js';
import { CONFIG, type Config } from '../config/config.js';
import { type OpenLimitName, RATE_LIMITS, type RateLimitName, type RateLimitScope } from './rate-limits.js';

/** What this process has counted of one caller within the present window. */
export interface Count {
  readonly name: RateLimitName;
  readonly key: string;
  readonly here: number;
  readonly endsAt: number;
}

/** The same of another process. */
export interface PeerCount extends Pick<Count, 'name' | 'key'> {
  readonly calls: number;
  readonly msLeft: number;
}

/** The processes that count the limits together which fail closed. */
export interface CountedTogether {
  /** By how many a limit is divided: 1 while they know of each other's calls. */
  readonly shares: number;
  /** The count has changed. It goes on to change. */
  changed(count: Count): void;
}

interface Window extends Count {
  here: number;
  endsAt: number;
  /** The calls that other processes have told of, all together and each its own. */
  elsewhere: number;
  peers: Map<string, number> | undefined;
}

const callsOf = ({ here, elsewhere }: Window): number => here + elsewhere;

/** Who calls, by everything that a limit may count by. */
export type CountedBy = Partial<Record<RateLimitScope, string>>;

/** How many callers a limit remembers; the longest unseen is forgotten first, so memory stays flat under a flood. */
const REMEMBERED_CALLERS = 50_000;

/** Counts calls in fixed windows, in the memory of this process; where a limit fails closed, together with the others. */
@Injectable()
export class RateLimiter {
  private readonly windows = new Map<RateLimitName, LRUCache<string, Window>>();
  private readonly factor: number;
  private readonly exceeded: Counter<'limit'>;
  private together: CountedTogether = { shares: 1, changed: () => {} };

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
    metrics: Metrics,
  ) {
    this.factor = config.http.rateLimitFactor;
    this.exceeded = metrics.counter('rate_limit_exceeded_total', 'Calls beyond a limit of rate-limits.ts', ['limit']);
  }

  /** From now on others are told of what is counted here, and tell of theirs: see `heard`. */
  countTogether(together: CountedTogether): void {
    this.together = together;
  }

  /** Counts one call, or one that counts as so many. @throws Problem rate_limited with the seconds until the window ends */
  take(name: RateLimitName, caller: CountedBy, calls = 1): void {
    const window = this.windowOf(name, caller);
    window.here += calls;
    if (callsOf(window) <= this.mostOf(name)) {
      this.tell(window);
      return;
    }
    // The others know of all that was let through. A refusal is told with what comes next: a flood here is none for them.
    this.exceeded.inc({ limit: name });
    throw this.refusal(window);
  }

  /** The same for somebody who calls often: whether a call is within the limit, without a look-up for each. */
  counter(name: OpenLimitName, caller: CountedBy): () => boolean {
    const most = this.mostOf(name);
    let window = this.windowOf(name, caller);
    return () => {
      if (window.endsAt <= this.clock.milliseconds()) window = this.windowOf(name, caller);
      window.here += 1;
      if (window.here <= most) return true;
      this.exceeded.inc({ limit: name });
      return false;
    };
  }

  /** Takes a call back that turned out not to count. */
  giveBack(name: RateLimitName, caller: CountedBy): void {
    const window = this.windowOf(name, caller);
    window.here = Math.max(0, window.here - 1);
    this.tell(window);
  }

  /** The calls of the present window. */
  calls(name: RateLimitName, caller: CountedBy): number {
    return callsOf(this.windowOf(name, caller));
  }

  /**
   * Another process tells all that it has counted in its present window, of a limit that fails closed. It is no difference:
   * the next time makes good what was lost, and twice is once. The window ends here no later than there, so that all begin
   * the next one together; an end that was put off would never come, since news takes its time both ways.
   */
  heard(peer: string, { name, key, calls, msLeft }: PeerCount): void {
    const window = this.windowOfKey(name, key);
    window.peers ??= new Map();
    window.elsewhere += calls - (window.peers.get(peer) ?? 0);
    window.peers.set(peer, calls);
    window.endsAt = Math.min(window.endsAt, this.clock.milliseconds() + msLeft);
  }

  /** All that this process has counted, of limits that fail closed. */
  *counts(): Iterable<Count> {
    const now = this.clock.milliseconds();
    for (const [name, callers] of this.windows) {
      if (RATE_LIMITS[name].fails === 'open') continue;
      for (const window of callers.values()) if (window.here > 0 && window.endsAt > now) yield window;
    }
  }

  private mostOf(name: RateLimitName): number {
    const { calls, fails } = RATE_LIMITS[name];
    const most = calls * this.factor;
    if (fails === 'open') return most;
    return Math.max(1, Math.floor(most / this.together.shares));
  }

  private tell(window: Window): void {
    if (RATE_LIMITS[window.name].fails === 'closed') this.together.changed(window);
  }

  private refusal({ endsAt }: Window): Problem {
    const retryAfterSeconds = Math.ceil((endsAt - this.clock.milliseconds()) / 1000);
    return new Problem('rate_limited', `try again in ${retryAfterSeconds} seconds`, { retryAfterSeconds });
  }

  private windowOf(name: RateLimitName, caller: CountedBy): Window {
    const { per } = RATE_LIMITS[name];
    const counted = caller[per];
    if (counted === undefined) throw new Error(`the limit ${name} counts by ${per}, which the route does not know`);
    return this.windowOfKey(name, per === 'address' ? networkOf(counted) : counted);
  }

  private windowOfKey(name: RateLimitName, key: string): Window {
    const now = this.clock.milliseconds();
    const callers = this.callersOf(name);
    const known = callers.get(key);
    if (known && known.endsAt > now) return known;
    const endsAt = now + RATE_LIMITS[name].windowSeconds * 1000;
    const fresh = { name, key, here: 0, elsewhere: 0, peers: undefined, endsAt };
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
