import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { type Count, type CountedTogether, type PeerCount, RateLimiter } from '../http/rate-limiter.js';
import { RATE_LIMITS, type RateLimitName } from '../http/rate-limits.js';
import { Bus } from './bus.js';

/** A count as processes tell each other of it, with the milliseconds until its window ends. */
type Entry = readonly [name: string, key: string, calls: number, msLeft: number];

const TOPIC = 'limits';
const ASK = 'limits?';
/** Counts of one message. */
const MOST_AT_ONCE = 500;
const LONGEST_KEY = 1000;

/**
 * All processes count a limit together that fails closed. Each tells what it has counted whenever that changes, and all of
 * it whenever something may have been missed: so one that starts, or was cut off, learns what it does not know.
 */
@Injectable()
export class SharedLimits implements CountedTogether {
  private readonly untold = new Set<Count>();

  constructor(
    private readonly limiter: RateLimiter,
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {
    limiter.countTogether(this);
    bus.subscribe(TOPIC, (message, peer) => this.hear(message, peer));
    bus.subscribe(ASK, (_, peer) => this.tell(limiter.counts(), (message) => bus.send(peer, TOPIC, message)));
    bus.onGap(() => {
      bus.publish(ASK, '');
      this.publish(limiter.counts());
    });
  }

  get shares(): number {
    return this.bus.parts;
  }

  /** All that happens in one turn of the event loop is told at once. */
  changed(count: Count): void {
    this.untold.add(count);
    if (this.untold.size > 1) return;
    setImmediate(() => {
      const counts = [...this.untold];
      this.untold.clear();
      this.publish(counts);
    });
  }

  /** What is lost is told after the gap. */
  private publish(counts: Iterable<Count>): void {
    this.tell(counts, (message) => this.bus.publish(TOPIC, message));
  }

  private tell(counts: Iterable<Count>, say: (message: string) => void): void {
    const now = this.clock.milliseconds();
    const entries = Array.from(counts, ({ name, key, here, endsAt }): Entry => [name, key, here, endsAt - now]);
    for (let start = 0; start < entries.length; start += MOST_AT_ONCE) {
      say(JSON.stringify(entries.slice(start, start + MOST_AT_ONCE)));
    }
  }

  private hear(message: string, peer: string): void {
    for (const count of countsOf(message)) this.limiter.heard(peer, count);
  }
}

/** Another version may have other limits, and who else uses the server may say anything. */
function countsOf(message: string): PeerCount[] {
  const entries: unknown = parse(message);
  return Array.isArray(entries)
    ? entries.filter(isEntry).map(([name, key, calls, msLeft]) => ({ name, key, calls, msLeft }))
    : [];
}

function parse(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

/** A window that has ended on its way is of no interest. */
function isEntry(entry: unknown): entry is readonly [RateLimitName, string, number, number] {
  if (!Array.isArray(entry)) return false;
  const [name, key, calls, msLeft]: unknown[] = entry;
  const isKey = typeof key === 'string' && key.length <= LONGEST_KEY;
  const isCount = Number.isSafeInteger(calls) && Number(calls) >= 0;
  return isSharedLimit(name) && isKey && isCount && typeof msLeft === 'number' && msLeft > 0;
}

const isSharedLimit = (name: unknown): name is RateLimitName =>
  typeof name === 'string' && Object.hasOwn(RATE_LIMITS, name) && RATE_LIMITS[name as RateLimitName].fails === 'closed';
