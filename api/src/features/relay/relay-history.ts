import { Injectable } from '@nestjs/common';
import { readDeviceId, wireId } from '../../common/device-id.js';
import { invalidField } from '../../common/problem.js';
import type { HistoryAnswer, HistoryItem } from './relay.dto.js';
import { type PastMessage, RelayHistoryRepository } from './relay-history.repository.js';
import { RelayJournal } from './relay-journal.js';

export const MOST_ITEMS = 200;
const USUAL_ITEMS = 50;
const MOST_OFFSET = 10_000_000;

/** A page as it is asked for: text of a URL. */
export interface PageRequest {
  deviceId: string | undefined;
  limit: string | undefined;
  offset: string | undefined;
}

/** What went between an account's devices. */
@Injectable()
export class RelayHistory {
  constructor(
    private readonly history: RelayHistoryRepository,
    private readonly journal: RelayJournal,
  ) {}

  /** The newest first; of a device that is not the account's there is nothing. @throws Problem validation_failed */
  async page(accountId: string, request: PageRequest): Promise<HistoryAnswer> {
    const limit = numberOf('limit', request.limit ?? String(USUAL_ITEMS), 1, MOST_ITEMS);
    const offset = numberOf('offset', request.offset ?? '0', 0, MOST_OFFSET);
    const deviceId = request.deviceId === undefined ? null : readDeviceId(request.deviceId);
    if (deviceId === undefined) throw invalidField('device_id', 'must be the id of a device');
    const [messages, total] = await Promise.all([
      this.history.page(accountId, deviceId, offset, limit),
      this.history.count(accountId, deviceId),
    ]);
    return { items: messages.map((message) => this.item(accountId, message)), total, offset, limit };
  }

  /** All messages of an account for its export, in their order, a page after that key. */
  async exported(accountId: string, after: string, most: number) {
    const messages = await this.history.after(accountId, Number(after), most);
    return messages.map((message) => ({
      key: String(message.id),
      ...this.item(accountId, message),
      acknowledged_at: message.acknowledgedAt,
      expired_at: message.expiredAt,
    }));
  }

  private item(accountId: string, { id, from, to, type, sealed, createdAt }: PastMessage): HistoryItem {
    const text = this.journal.open(sealed, accountId);
    return {
      id,
      from_device_id: wireId(from),
      to_device_id: wireId(to),
      msg_type: type,
      payload: text === null ? null : JSON.parse(text),
      created_at: createdAt.toISOString(),
    };
  }
}

function numberOf(field: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= min && value <= max) return value;
  throw invalidField(field, `must be a number from ${min} to ${max}`);
}
