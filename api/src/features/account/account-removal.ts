import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Kamailio } from '../../clients/kamailio/kamailio.client.js';
import { jidOf } from '../../common/jid.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { AccountRepository, type AccountRow, type AccountStatus } from './account.repository.js';
import { Leases } from './leases.js';

/** What a feature does about its own data before an account goes. It may be run again after a crash. */
export type RemovalStep = (account: { id: string; username: string }) => Promise<void>;

/** What this finishes. */
const TO_GO: readonly AccountStatus[] = ['pending', 'deleting'];
/** How long a chat server that was frozen may take to work off what it had been asked. */
const MOST_SETTLING_MS = 2000;

/** Finishes what a crash, a failed neighbour or a deletion left: the account goes from every store, its own row last. */
@Injectable()
export class AccountRemoval {
  private readonly steps: RemovalStep[] = [];

  constructor(
    private readonly accounts: AccountRepository,
    private readonly ejabberd: Ejabberd,
    private readonly kamailio: Kamailio,
    private readonly leases: Leases,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Another feature's part of every deletion. */
  addStep(step: RemovalStep): void {
    this.steps.push(step);
  }

  newLease(): Date {
    return this.leases.fresh();
  }

  /**
   * Removes a claimed account. A registration that was never finished (`pending`) left nothing but the chat server's user.
   * @throws Problem when a neighbour fails; the row stays, and the reaper tries again
   */
  async finish(account: AccountRow): Promise<void> {
    let held = account;
    if (account.status === 'deleting') {
      await this.endRegistrations(account);
      for (const step of this.steps) {
        held = await this.hold(held);
        await step(held);
      }
    }
    // By name, so only with the lease in hand: once it is lost, the name may belong to somebody else.
    held = await this.hold(held);
    await this.ejabberd.unregister(held.username);
    if (held.status === 'pending') await this.requireSettled(held.username);
    // Once more: a phone may have been let in just before the account was closed, and registered just after.
    else await this.endRegistrations(held);
    if (held.lease_until) await this.accounts.remove(held.id, held.lease_until);
  }

  /** Finishes one unfinished account now; false when somebody else works on it. */
  async finishNow(id: string): Promise<boolean> {
    const claimed = await this.accounts.claim(id, this.leases.now(), this.newLease());
    if (claimed) await this.finish(claimed);
    return claimed !== undefined;
  }

  /** Finishes up to `most` unfinished accounts. One that fails again waits for its lease to run out. */
  async finishLeftovers(most: number, onFailure: (error: unknown) => void, stopping?: AbortSignal): Promise<void> {
    for (let finished = 0; finished < most && !stopping?.aborted; finished += 1) {
      // One by one: a lease that begins long before its work might end before it.
      const account = await this.accounts.claimUnfinished(TO_GO, this.leases.now(), this.newLease());
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

  private endRegistrations({ username }: AccountRow): Promise<void> {
    return this.kamailio.removeContacts(jidOf(username, this.config.addresses.sipDomain));
  }

  /** The lease begins anew before each step that takes long. @throws Problem account_busy when it was lost */
  private async hold(account: AccountRow): Promise<AccountRow> {
    const held = await this.accounts.renew(account, this.newLease());
    if (held) return held;
    throw new Problem('account_busy', 'somebody else works on the account', { retryAfterSeconds: 2 });
  }

  /**
   * A registration that the chat server was too slow to answer may still be carried out, even after its removal: the
   * name is given back only when a moment later nothing is there.
   */
  private async requireSettled(username: string): Promise<void> {
    await delay(Math.min(MOST_SETTLING_MS, this.config.neighbours.timeoutMs));
    if (!(await this.ejabberd.accountExists(username))) return;
    throw new Problem('account_busy', 'an earlier registration came late', { retryAfterSeconds: 2 });
  }

  /** Best effort: when the database is away, the lease runs out by itself. */
  private async postpone({ id, lease_until }: AccountRow): Promise<void> {
    if (lease_until) await this.accounts.expireLease(id, lease_until, this.leases.retry()).catch(() => {});
  }
}
