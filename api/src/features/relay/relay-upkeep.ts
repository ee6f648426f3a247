import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { AccountRemoval } from '../account/account-removal.js';
import { RelayDelivery } from './relay-delivery.js';
import { expiredNews } from './relay-frame.js';
import { RelayGrowth } from './relay-growth.js';
import { RelayHistoryRepository } from './relay-history.repository.js';
import { RelayJournal, type RelayMessage } from './relay-journal.js';
import type { ExpiredCommand } from './relay-messages.repository.js';

const DAY_MS = 86_400_000;
const MOST_ROUNDS = 20;
/** Of a deletion, in one statement. */
const MOST_REMOVED = 5000;
/** Of an account's messages, in one statement. */
const MOST_LOOKED_AT = 5000;
/** By then whoever had a message to deliver has done it. */
const LATE_MS = 1000;

/** What is done about messages while nobody asks. */
@Injectable()
export class RelayUpkeep {
  private readonly historyDays: number;
  private readonly historyBytes: number;

  constructor(
    private readonly journal: RelayJournal,
    private readonly history: RelayHistoryRepository,
    private readonly growth: RelayGrowth,
    private readonly delivery: RelayDelivery,
    private readonly clock: Clock,
    removal: AccountRemoval,
    @Inject(CONFIG) { retention }: Config,
  ) {
    removal.addStep(({ id }) => this.forgetAll(id));
    this.historyDays = retention.relayHistoryDays;
    this.historyBytes = retention.relayHistoryMb * 1_000_000;
  }

  /** Commands whose time is over: the host gets them no more, and whoever sent them is told. */
  async expire(most: number): Promise<void> {
    const limit = most * 10;
    await repeatedly(async () => {
      const { expired, told } = await this.journal.expire(limit, newsOf);
      for (const { accountId, to, id, kind, text, until } of told)
        this.delivery.deliver({ accountId, to, id, reqId: null, kind, text, until });
      return expired === limit;
    });
  }

  /** Forgets messages that are older than RELAY_HISTORY_DAYS. */
  async forget(most: number): Promise<void> {
    if (this.historyDays === 0) return;
    const limit = most * 50;
    const before = new Date(this.clock.milliseconds() - this.historyDays * DAY_MS);
    await repeatedly(async () => (await this.history.forget(before, limit)) === limit);
  }

  /** Forgets the oldest messages of accounts that have more than RELAY_HISTORY_MB. What waits stays. */
  async trim(most: number): Promise<void> {
    const limit = most * 50;
    for (const accountId of this.growth.accounts()) {
      const last = this.historyBytes && (await this.history.newestBeyond(accountId, this.historyBytes, MOST_LOOKED_AT));
      if (last) await repeatedly(async () => (await this.history.forgetUpTo(accountId, last, limit)) === limit);
      this.growth.lookedAt(accountId);
    }
  }

  /** An account goes: years of messages would be too much for the statement that removes its row. */
  private async forgetAll(accountId: string): Promise<void> {
    while ((await this.history.remove(accountId, MOST_REMOVED)) === MOST_REMOVED);
  }

  /** Sends what devices of this process should have got by now. */
  async sweep(): Promise<void> {
    await this.delivery.sweep(new Date(this.clock.milliseconds() - LATE_MS));
  }
}

/** In pieces, so that no statement takes long; what is left is the next run's. */
async function repeatedly(work: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS && (await work()); round += 1);
}

const newsOf = ({ accountId, from, to, reqId }: ExpiredCommand): RelayMessage => ({
  ...{ accountId, from: to, to: from, type: 'event', kind: 'ERROR', reqId },
  text: expiredNews(to, reqId),
});
