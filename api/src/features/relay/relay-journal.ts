import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Batch } from '../../common/batch.js';
import { Clock } from '../../common/clock.js';
import { type Counter, Metrics } from '../../common/metrics.js';
import { Problem } from '../../common/problem.js';
import { Seal } from '../../common/seal.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { RelayLifetimes } from '../../config/relay.config.js';
import { RateLimiter } from '../../http/rate-limiter.js';
import { lifetimeOf } from './relay-frame.js';
import {
  type ExpiredCommand,
  type Kept,
  type MessageType,
  type NewMessage,
  RelayMessagesRepository,
  type WaitingMessage,
} from './relay-messages.repository.js';

/** A message in the clear, on its way to a device. */
export interface RelayMessage {
  accountId: string;
  from: string;
  to: string;
  type: MessageType;
  kind: string;
  reqId: string | null;
  /** The frame that the device gets. */
  text: string;
}

/** A commit for each message would cost more than the messages. */
const BATCHES = { most: 256, pauseMs: 4 };
/** When the database does not keep up, it is better to say so than to let memory fill. */
const MOST_BACKLOG = 5000;

/** Writes messages down before anything is done with them; all that come at the same time, in one statement. */
@Injectable()
export class RelayJournal implements OnModuleDestroy {
  readonly queueMax: number;
  private readonly seal: Seal;
  private readonly lifetimes: RelayLifetimes;
  private readonly outcomes: Counter<'type' | 'outcome'>;
  private readonly batch: Batch<NewMessage, Kept>;

  constructor(
    private readonly messages: RelayMessagesRepository,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    metrics: Metrics,
    @Inject(CONFIG) { relay }: Config,
  ) {
    this.queueMax = relay.queueMax;
    this.lifetimes = relay.lifetimes;
    this.outcomes = metrics.counter('relay_messages_total', 'Relayed messages by what became of them', [
      'type',
      'outcome',
    ]);
    this.seal = new Seal(relay.secrets, 'relayed messages');
    this.batch = new Batch((batch) => messages.keep(batch, relay.queueMax, clock.now()), BATCHES);
  }

  async onModuleDestroy(): Promise<void> {
    await this.batch.idle();
  }

  /**
   * Keeps a message. Those that are kept one after the other have ids in that order.
   * @throws Problem database_unavailable, rate_limited
   */
  async keep(message: RelayMessage): Promise<Kept> {
    this.limiter.take('relay_messages', { account: message.accountId });
    if (this.batch.backlog >= MOST_BACKLOG) throw new Problem('database_unavailable', 'it does not keep up');
    const kept = await this.batch.add(this.sealed(message));
    this.outcomes.inc({ type: message.type, outcome: kept.outcome });
    return kept;
  }

  /** What waits for a device; without what was sealed with a secret that is gone. */
  async waitingFor(deviceId: string, after: number, most: number): Promise<WaitingMessage[]> {
    return this.messages.waitingFor(deviceId, after, most, this.clock.now());
  }

  /** Those of the devices for which something waits that was written before then, or at all. */
  devicesWithWaiting(deviceIds: readonly string[], before: Date | null): Promise<string[]> {
    return this.messages.devicesWithWaiting(deviceIds, before, this.clock.now());
  }

  /** The frame of a kept message; null when it can't be read any more. */
  open(sealed: Buffer, accountId: string): string | null {
    return this.seal.open(sealed, accountId);
  }

  /** Ends the wait of what has expired. @param newsOf what the sender of a command is told */
  async expire(most: number, newsOf: (command: ExpiredCommand) => RelayMessage) {
    const now = this.clock.now();
    if (!(await this.messages.anyExpired(now))) return { expired: 0, told: [] };
    const limits = { most, queueMax: this.queueMax };
    const opened = new Map<NewMessage, RelayMessage>();
    const { expired, news } = await this.messages.expire(now, limits, (commands) => {
      this.outcomes.inc({ type: 'command', outcome: 'expired' }, commands.length);
      return commands.map((command) => {
        const message = newsOf(command);
        const sealed = this.sealed(message);
        opened.set(sealed, message);
        return sealed;
      });
    });
    const told = news.flatMap(({ message, kept }) => {
      const inClear = opened.get(message);
      return inClear && kept.id !== null ? [{ ...inClear, id: kept.id }] : [];
    });
    return { expired, told };
  }

  private sealed({ text, ...message }: RelayMessage): NewMessage {
    const lifetime = this.lifetimes[lifetimeOf(message.kind)];
    const expiresAt = new Date(this.clock.milliseconds() + lifetime * 1000);
    return { ...message, sealed: this.seal.seal(text, message.accountId), expiresAt };
  }
}
