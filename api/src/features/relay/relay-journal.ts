import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { Batch } from '../../common/batch.js';
import { Clock } from '../../common/clock.js';
import { FairRoom } from '../../common/fair-room.js';
import { type Counter, Metrics } from '../../common/metrics.js';
import { Problem } from '../../common/problem.js';
import { Seal } from '../../common/seal.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { RelayLifetimes } from '../../config/relay.config.js';
import { Drain } from '../../http/drain.js';
import { RateLimiter } from '../../http/rate-limiter.js';
import { lifetimeOf } from './relay-frame.js';
import { RelayGrowth } from './relay-growth.js';
import { ROW_BYTES } from './relay-history.repository.js';
import type { Outgoing } from './relay-link.js';
import {
  type ExpiredCommand,
  type Kept,
  type KnownCommand,
  type MessageType,
  type NewMessage,
  type Recipient,
  RelayMessagesRepository,
  type Waiting,
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
/** When the database does not keep up, it is better to say so than to let memory fill; and first to whoever fills it. */
const MOST_BACKLOG = 5000;

/** Writes messages down before anything is done with them; all that come at the same time, in one statement. */
@Injectable()
export class RelayJournal implements BeforeApplicationShutdown {
  readonly queueMax: number;
  private readonly seal: Seal;
  private readonly lifetimes: RelayLifetimes;
  private readonly outcomes: Counter<'type' | 'outcome'>;
  private readonly batch: Batch<NewMessage, Kept>;
  private readonly unwritten = new FairRoom(MOST_BACKLOG);

  constructor(
    private readonly messages: RelayMessagesRepository,
    private readonly growth: RelayGrowth,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly drain: Drain,
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

  /** What comes while the last connections end is kept as well. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.drain.beforeApplicationShutdown();
    await this.batch.idle();
  }

  /** A frame is to be kept, for so many devices: it is one message, and takes the room of all. @throws Problem rate_limited */
  count(accountId: string, text: string, devices: number): void {
    const account = { account: accountId };
    this.limiter.take('relay_messages', account);
    this.limiter.take('relay_kilobytes', account, devices * Math.ceil(Buffer.byteLength(text) / 1024));
  }

  /**
   * Keeps a message. Those that are kept one after the other have ids in that order.
   * @throws Problem database_unavailable
   */
  async keep(message: RelayMessage): Promise<Kept & Pick<Outgoing, 'until'>> {
    const { accountId, type } = message;
    if (!this.unwritten.enter(accountId)) throw new Problem('database_unavailable', 'it does not keep up');
    try {
      const sealed = this.sealed(message);
      const kept = await this.batch.add(sealed);
      if (kept.id !== null) this.growth.add(accountId, sealed.sealed.length + ROW_BYTES);
      this.outcomes.inc({ type, outcome: kept.outcome });
      return { ...kept, until: waitsUntil(sealed, kept) };
    } finally {
      this.unwritten.leave(accountId);
    }
  }

  /** A command that has come before; undefined when it has been forgotten. */
  commandOf(accountId: string, to: string, reqId: string): Promise<KnownCommand | undefined> {
    return this.messages.commandOf(accountId, to, reqId, this.clock.now());
  }

  /** A command that waits, and was another's, is from now on its sender's. Undefined when it was too late for that. */
  async takeOver(first: string, command: RelayMessage): Promise<Pick<Outgoing, 'id' | 'until'> | undefined> {
    const sealed = this.sealed(command);
    const id = await this.messages.takeOver(first, sealed, this.clock.now());
    return id === undefined ? undefined : { id, until: sealed.expiresAt.getTime() };
  }

  /** What waits for a device; without what was sealed with a secret that is gone. */
  async waitingFor(
    recipient: Recipient,
    after: number,
    page: { most: number; bytes: number },
  ): Promise<WaitingMessage[]> {
    return this.messages.waitingFor(recipient, after, page, this.clock.now());
  }

  /** Which messages wait for the devices that were written before then, or at all. */
  waiting(recipients: readonly Recipient[], before: Date | null): Promise<Waiting[]> {
    return this.messages.waiting(recipients, before, this.clock.now());
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
      return inClear && kept.id !== null ? [{ ...inClear, id: kept.id, until: waitsUntil(message, kept) }] : [];
    });
    return { expired, told };
  }

  private sealed({ text, ...message }: RelayMessage): NewMessage {
    const lifetime = this.lifetimes[lifetimeOf(message.kind)];
    const expiresAt = new Date(this.clock.milliseconds() + lifetime * 1000);
    return { ...message, sealed: this.seal.seal(text, message.accountId), expiresAt };
  }
}

/** Null when the queue was full: it waits for nobody. */
const waitsUntil = ({ expiresAt }: NewMessage, { outcome }: Kept): number | null =>
  outcome === 'full' ? null : expiresAt.getTime();
