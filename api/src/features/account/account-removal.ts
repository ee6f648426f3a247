import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/problem.js';
import { AccountRepository, type AccountRow, type AccountStatus } from './account.repository.js';
import { AccountEraser, type RemovalStep } from './account-eraser.js';
import { Leases } from './leases.js';
import { RetiredNames } from './retired-names.js';

/** What this finishes. */
const TO_GO: readonly AccountStatus[] = ['pending', 'deleting'];

/** Within it the chat server has stored what it was handling. */
const SETTLING_MS = 250;
/** How long a chat server that was frozen may take to work off what it had been asked. */
const MOST_SETTLING_MS = 2000;

const busy = (): Problem => new Problem('account_busy', 'somebody else works on the account', { retryAfterSeconds: 2 });

/** Finishes what a crash, a failed neighbour or a deletion left: the account goes from every store, its own row last. */
@Injectable()
export class AccountRemoval {
  private readonly steps: RemovalStep[] = [];

  constructor(
    private readonly accounts: AccountRepository,
    private readonly retired: RetiredNames,
    private readonly eraser: AccountEraser,
    private readonly leases: Leases,
  ) {}

  /** What a feature does about its own data before an account goes. */
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
    if (account.status === 'deleting') await this.leave(account);
    // By name, so only with the lease in hand: once it is lost, the name may belong to somebody else.
    await this.hold(account);
    await this.eraser.erase(account.username);
    await this.settle(account);
    const { id, username, lease_until } = account;
    if (lease_until) await this.accounts.remove(id, lease_until, this.retired.retire(username));
  }

  /** Whether one of the names was a deleted account's, and is not to be had yet. */
  hasRetiredAny(usernames: readonly string[]): Promise<boolean> {
    return this.retired.includesAny(usernames);
  }

  /**
   * Closes an account, active or suspended, and removes it.
   * @returns whether everything is gone already, or follows when a server that is away is back
   * @throws Problem account_busy
   */
  async remove({ id, username }: { id: string; username: string }): Promise<boolean> {
    const leaseUntil = this.leases.fresh();
    if (!(await this.accounts.close({ id, username, leaseUntil }, this.accounts.sipDomain, this.leases.now())))
      throw busy();
    return this.finishOrPostpone({ id, username, status: 'deleting', lease_until: leaseUntil });
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

  /** All that is open ends, and every feature does its part. */
  private async leave(account: AccountRow): Promise<void> {
    for (const step of [...this.eraser.endings, ...this.steps]) {
      await this.hold(account);
      await step(account);
    }
  }

  /** What the chat server was asked before may still be done, or still be stored. */
  private async settle(account: AccountRow): Promise<void> {
    const pending = account.status === 'pending';
    await this.eraser.settle(pending ? MOST_SETTLING_MS : SETTLING_MS);
    await this.hold(account);
    await (pending ? this.eraser.requireGone(account.username) : this.eraser.eraseLatecomers(account.username));
  }

  /**
   * The lease begins anew before each step that takes long, and is noted in the row at hand: whoever fails gives it back.
   * @throws Problem account_busy when it was lost
   */
  private async hold(account: AccountRow): Promise<void> {
    const held = await this.accounts.renew(account, this.newLease());
    if (!held) throw busy();
    account.lease_until = held.lease_until;
  }

  /** Best effort: when the database is away, the lease runs out by itself. */
  private async postpone({ id, lease_until }: AccountRow): Promise<void> {
    if (lease_until) await this.accounts.expireLease(id, lease_until, this.leases.retry()).catch(() => {});
  }
}
