import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { AccountRemoval } from './account-removal.js';
import { RetiredNames } from './retired-names.js';
import { ThrowawayRepository } from './throwaway.repository.js';

const PREFIX = 'doctor_';
const NONCE_BYTES = 4;
const MARK_BYTES = 8;
/** Longer than anything is tried with such an account. */
const FORGOTTEN_AFTER_MS = 120_000;

/**
 * Accounts that are made to try something and removed again. Their names carry a mark that only this server can make: a
 * run that is cut off leaves accounts that the next one finds, and nobody's own account is ever taken for one.
 */
@Injectable()
export class ThrowawayAccounts {
  private readonly domain: string;
  private readonly key: KeyObject;

  constructor(
    private readonly removal: AccountRemoval,
    private readonly throwaway: ThrowawayRepository,
    private readonly retired: RetiredNames,
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses, http }: Config,
  ) {
    this.domain = addresses.xmppDomain;
    this.key = createSecretKey(http.internalSecret.reveal(), 'utf8');
  }

  newName(): string {
    const nonce = randomBytes(NONCE_BYTES).toString('hex');
    return `${PREFIX}${nonce}${this.markOf(nonce).toString('hex')}`;
  }

  /**
   * Removes the account of a name that `newName` gave; none is fine. Nobody knew it: the name is not kept from others.
   * @returns `going` when a server that is away has to follow
   * @throws Problem account_busy while somebody still makes it
   */
  async remove(username: string): Promise<'gone' | 'going'> {
    if (!this.isMarked(username)) throw new Problem('forbidden', 'this is no throw-away account');
    const found = await this.throwaway.find(username, this.domain);
    if (!found) return 'gone';
    if (found.status === 'pending')
      throw new Problem('account_busy', 'it is still being made', { retryAfterSeconds: 1 });
    if (found.status === 'deleting' || !(await this.removal.remove({ id: found.id, username }))) return 'going';
    await this.retired.release(username);
    return 'gone';
  }

  /** Removes what earlier runs that were cut off have left, and says how many there were. */
  async removeForgotten(): Promise<number> {
    const before = new Date(this.clock.milliseconds() - FORGOTTEN_AFTER_MS);
    const found = await this.throwaway.findOlder(PREFIX, this.domain, before);
    const forgotten = found.filter((username) => this.isMarked(username));
    for (const username of forgotten) await this.remove(username);
    return forgotten.length;
  }

  private isMarked(username: string): boolean {
    const [, nonce = '', mark = ''] = /^doctor_([0-9a-f]{8})([0-9a-f]{16})$/.exec(username) ?? [];
    return mark !== '' && timingSafeEqual(Buffer.from(mark, 'hex'), this.markOf(nonce));
  }

  private markOf(nonce: string): Buffer {
    return createHmac('sha256', this.key).update(`throw-away account ${nonce}`).digest().subarray(0, MARK_BYTES);
  }
}
