import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { jidOf } from '../../common/jid.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type RetiredName, RetiredNamesRepository } from './retired-names.repository.js';

const DAY_MS = 86_400_000;

/**
 * Names of deleted accounts, which stay taken for a while: people go on writing to whom they knew by that name. They are
 * known by an HMAC-SHA-256 of the JID, so that the list tells nobody who was here.
 */
@Injectable()
export class RetiredNames {
  private readonly key: KeyObject;
  private readonly domain: string;
  private readonly quarantineMs: number;

  constructor(
    private readonly names: RetiredNamesRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses, retention }: Config,
  ) {
    this.key = createSecretKey(retention.nameSecret.reveal(), 'utf8');
    this.domain = addresses.xmppDomain;
    this.quarantineMs = retention.nameQuarantineDays * DAY_MS;
  }

  /** What is to be kept of a name whose account goes now; null when it is free at once. */
  retire(username: string): RetiredName | null {
    return this.quarantineMs === 0 ? null : { hash: this.hash(username), at: this.clock.now() };
  }

  /** Whether one of the names is still taken. */
  async includesAny(usernames: readonly string[]): Promise<boolean> {
    return this.names.hasAny(
      usernames.map((username) => this.hash(username)),
      this.endedBefore(),
    );
  }

  /** Lets a name be taken again before its time; false when it was free. */
  async release(username: string): Promise<boolean> {
    return this.names.remove(this.hash(username));
  }

  /** Forgets names whose time is over, up to a hundred for each of `most`. */
  async removeExpired(most: number): Promise<void> {
    await this.names.removeUntil(this.endedBefore(), most * 100);
  }

  /** Names that were retired then or before are free. The setting counts as it is now, not as it was then. */
  private endedBefore(): Date {
    return new Date(this.clock.milliseconds() - this.quarantineMs);
  }

  private hash(username: string): Buffer {
    return createHmac('sha256', this.key).update(jidOf(username, this.domain)).digest();
  }
}
