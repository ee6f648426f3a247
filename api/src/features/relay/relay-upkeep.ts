import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { wireId } from '../../common/device-id.js';
import { CONFIG, type Config } from '../../config/config.js';
import { AccountRemoval } from '../account/account-removal.js';
import { RelayDelivery } from './relay-delivery.js';
import { RelayHistoryRepository } from './relay-history.repository.js';
import { RelayJournal, type RelayMessage } from './relay-journal.js';
import type { ExpiredCommand } from './relay-messages.repository.js';

const DAY_MS = 86_400_000;
const MOST_ROUNDS = 20;
/** Of a deletion, in one statement. */
const MOST_REMOVED = 5000;
/** By then whoever had a message to deliver has done it. */
const LATE_MS = 1000;

/** What is done about messages while nobody asks. */
@Injectable()
export class RelayUpkeep {
  private readonly historyDays: number;

  constructor(
    private readonly journal: RelayJournal,
    private readonly history: RelayHistoryRepository,
    private readonly delivery: RelayDelivery,
    private readonly clock: Clock,
    removal: AccountRemoval,
    @Inject(CONFIG) { retention }: Config,
  ) {
    removal.addStep(({ id }) => this.forgetAll(id));
    this.historyDays = retention.relayHistoryDays;
  }

  /** Commands whose time is over: the host gets them no more, and whoever sent them is told. */
  async expire(most: number): Promise<void> {
    const limit = most * 10;
    await repeatedly(async () => {
      const { expired, told } = await this.journal.expire(limit, newsOf);
      for (const { accountId, to, id, text } of told) this.delivery.deliver({ accountId, to, id, reqId: null, text });
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

/** As the host itself would say that it could not do it. */
const newsOf = ({ accountId, from, to, reqId }: ExpiredCommand): RelayMessage => ({
  ...{ accountId, from: to, to: from, type: 'event', kind: 'ERROR', reqId },
  text: JSON.stringify({
    ...{ type: 'event', event: 'ERROR', status: 'error', code: 'expired' },
    body: 'expired: the phone did not answer in time',
    ...{ req_id: reqId, from_device_id: wireId(to) },
  }),
});
