import { Inject, Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Kamailio } from '../../clients/kamailio/kamailio.client.js';
import { Clock } from '../../common/clock.js';
import { jidOf } from '../../common/jid.js';
import { CONFIG, type Config } from '../../config/config.js';
import { AccountRepository, type AccountRow } from './account.repository.js';

/** What a feature does about its own data before an account goes. It may be run again after a crash. */
export type RemovalStep = (account: { id: string; username: string }) => Promise<void>;

/**
 * A lease in neighbour timeouts: longer than the calls of one attempt may take together, so that nobody takes a row over
 * from somebody who is at work.
 */
const LEASE_TIMEOUTS = 6;
/** How soon a removal that failed is tried again. */
const RETRY_MS = 5000;

/** Finishes what a crash, a failed neighbour or a deletion left: the account goes from every store, its own row last. */
@Injectable()
export class AccountRemoval {
  private readonly steps: RemovalStep[] = [];

  constructor(
    private readonly accounts: AccountRepository,
    private readonly ejabberd: Ejabberd,
    private readonly kamailio: Kamailio,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Another feature's part of every deletion. */
  addStep(step: RemovalStep): void {
    this.steps.push(step);
  }

  newLease(): Date {
    return new Date(this.clock.milliseconds() + LEASE_TIMEOUTS * this.config.neighbours.timeoutMs);
  }

  /**
   * Removes a claimed account. A registration that was never finished (`pending`) left nothing but the chat server's user.
   * @throws Problem when a neighbour fails; the row stays, and the reaper tries again
   */
  async finish(account: AccountRow): Promise<void> {
    if (account.status === 'deleting') {
      await this.kamailio.removeContacts(jidOf(account.username, this.config.addresses.sipDomain));
      for (const step of this.steps) await step(account);
    }
    await this.ejabberd.unregister(account.username);
    if (account.lease_until) await this.accounts.remove(account.id, account.lease_until);
  }

  /** Finishes one unfinished account now; false when somebody else works on it. */
  async finishNow(id: string): Promise<boolean> {
    const claimed = await this.accounts.claim(id, this.clock.now(), this.newLease());
    if (claimed) await this.finish(claimed);
    return claimed !== undefined;
  }

  /** Finishes up to `most` unfinished accounts. One that fails again waits for its lease to run out. */
  async finishLeftovers(most: number, onFailure: (error: unknown) => void): Promise<void> {
    for (let finished = 0; finished < most; finished += 1) {
      // One by one: a lease that begins long before its work might end before it.
      const account = await this.accounts.claimUnfinished(this.clock.now(), this.newLease());
      if (!account) return;
      await this.finishOrPostpone(account, onFailure);
    }
  }

  /** Finishes a claimed account, or leaves it to the reaper; false then. */
  async finishOrPostpone(account: AccountRow, onFailure: (error: unknown) => void = () => {}): Promise<boolean> {
    try {
      await this.finish(account);
      return true;
    } catch (error) {
      onFailure(error);
      await this.postpone(account);
      return false;
    }
  }

  /** Best effort: when the database is away, the lease runs out by itself. */
  private async postpone({ id, lease_until }: AccountRow): Promise<void> {
    const retryAt = new Date(this.clock.milliseconds() + RETRY_MS);
    if (lease_until) await this.accounts.expireLease(id, lease_until, retryAt).catch(() => {});
  }
}
