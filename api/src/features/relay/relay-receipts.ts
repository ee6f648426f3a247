import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Drain } from '../../http/drain.js';
import { RelayMessagesRepository } from './relay-messages.repository.js';

const MOST_AT_ONCE = 1000;
const RETRY_MS = 500;
/** Nobody waits for a receipt: the more of them together, the better. */
const PAUSE_MS = 25;
/** For how long what was read before a receipt may still be worked on. */
const REMEMBERED_MS = 10_000;

/**
 * Notes what devices have acknowledged. Nobody waits for it, and one that is lost with the process costs no more than a
 * second delivery; so it is repeated for as long as the database is away.
 */
@Injectable()
export class RelayReceipts implements BeforeApplicationShutdown {
  private readonly logger = new Logger('relay');
  private unwritten: number[] = [];
  private running: Promise<void> | undefined;
  private readonly stopping = new AbortController();
  private recent = new Set<number>();
  private older = new Set<number>();
  private turnedAt = 0;

  constructor(
    private readonly messages: RelayMessagesRepository,
    private readonly clock: Clock,
    private readonly drain: Drain,
  ) {}

  /** What is acknowledged while the last connections end is noted as well. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.drain.beforeApplicationShutdown();
    this.stopping.abort();
    await this.running;
  }

  add(ids: readonly number[]): void {
    if (ids.length === 0) return;
    this.turn();
    for (const id of ids) {
      this.recent.add(id);
      this.unwritten.push(id);
    }
    this.running ??= this.run();
  }

  /** Whether a message was acknowledged of late: whoever has read it before as waiting must not deliver it again. */
  has(id: number): boolean {
    return this.recent.has(id) || this.older.has(id);
  }

  private async run(): Promise<void> {
    while (this.unwritten.length > 0) {
      await delay(PAUSE_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
      const ids = this.unwritten.splice(0, MOST_AT_ONCE);
      if (await this.write(ids)) continue;
      this.unwritten.unshift(...ids);
      if (this.stopping.signal.aborted) break;
      await delay(RETRY_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
    this.running = undefined;
  }

  private async write(ids: readonly number[]): Promise<boolean> {
    try {
      await this.messages.acknowledge(ids, this.clock.now());
      return true;
    } catch (error) {
      this.logger.warn(`receipts wait: ${error instanceof Error ? error.message : 'unknown'}`);
      return false;
    }
  }

  private turn(): void {
    const now = this.clock.milliseconds();
    if (now - this.turnedAt < REMEMBERED_MS) return;
    this.turnedAt = now;
    this.older = this.recent;
    this.recent = new Set(this.unwritten);
  }
}
