import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { isId } from '../../common/ids.js';
import { invalidField, Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { CallHistoryRepository } from './call-history.repository.js';
import type { CallsAnswer, CallTraceAnswer } from './calls.dto.js';

const DAY_MS = 86_400_000;
/** Longer than any call rings, and than the call server has been seen to be late. */
const GIVEN_UP_AFTER_MS = 600_000;
const MOST_CALLS = 100;
const USUAL_CALLS = 50;

/** What people see of their calls, and how long. */
@Injectable()
export class CallsService {
  private readonly historyDays: number;

  constructor(
    private readonly history: CallHistoryRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) { retention }: Config,
  ) {
    this.historyDays = retention.callHistoryDays;
  }

  /** A page of an account's calls. @throws Problem validation_failed */
  async list(accountId: string, page: { limit: string | undefined; before: string | undefined }): Promise<CallsAnswer> {
    const limit = page.limit === undefined ? USUAL_CALLS : Number(page.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_CALLS) {
      throw invalidField('limit', `must be a number from 1 to ${MOST_CALLS}`);
    }
    if (page.before !== undefined && !isId(page.before)) throw invalidField('before', 'must be the id of a call');
    const calls = await this.history.list(accountId, page.before ?? null, limit + 1);
    const shown = calls.slice(0, limit);
    return { calls: shown, next: calls.length > limit ? (shown.at(-1)?.id ?? null) : null };
  }

  /** @throws Problem not_found, also for a call of others */
  async trace(accountId: string, callId: string): Promise<CallTraceAnswer> {
    const call = await this.history.find(accountId, callId);
    if (!call) throw new Problem('not_found', 'there is no such call');
    return { call, events: await this.history.events(accountId, call.id) };
  }

  /** Forgets calls that are older than CALL_HISTORY_DAYS, or of nobody any more, and gives up those that never end. */
  async tidy(most: number): Promise<void> {
    const now = this.clock.milliseconds();
    const before = this.historyDays === 0 ? null : new Date(now - this.historyDays * DAY_MS);
    await this.history.forget(before, most);
    await this.history.giveUp(new Date(now - GIVEN_UP_AFTER_MS), new Date(now), most);
  }
}
