import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { wireId } from '../../common/device-id.js';
import { CONFIG, type Config } from '../../config/config.js';
import { RelayDelivery } from './relay-delivery.js';
import { RelayHistoryRepository } from './relay-history.repository.js';
import { RelayJournal, type RelayMessage } from './relay-journal.js';
import type { ExpiredCommand } from './relay-messages.repository.js';

const DAY_MS = 86_400_000;
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
    @Inject(CONFIG) { retention }: Config,
  ) {
    this.historyDays = retention.relayHistoryDays;
  }

  /** Commands whose time is over: the host gets them no more, and whoever sent them is told. */
  async expire(most: number): Promise<void> {
    const limit = most * 10;
    for (;;) {
      const { expired, told } = await this.journal.expire(limit, newsOf);
      for (const { accountId, to, id, text } of told) this.delivery.deliver({ accountId, to, id, reqId: null, text });
      if (expired < limit) return;
    }
  }

  /** Forgets messages that are older than RELAY_HISTORY_DAYS. */
  async forget(most: number): Promise<void> {
    if (this.historyDays === 0) return;
    const limit = most * 50;
    const before = new Date(this.clock.milliseconds() - this.historyDays * DAY_MS);
    while ((await this.history.forget(before, limit)) === limit);
  }

  /** Sends what devices of this process should have got by now. */
  async sweep(): Promise<void> {
    await this.delivery.sweep(new Date(this.clock.milliseconds() - LATE_MS));
  }
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
