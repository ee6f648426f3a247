import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { AccountRepository, type AccountStatus, type HeldAccount } from './account.repository.js';
import { AccountAccess } from './account-access.js';
import { Leases } from './leases.js';
import { SuspensionRepository } from './suspension.repository.js';

const SUSPENSIONS: readonly AccountStatus[] = ['suspended', 'resuming'];
const PATIENCE_MS = 10_000;
const ASK_AGAIN_MS = 50;
const COMPARE_EVERY_MS = 60_000;

const busy = (): Problem => new Problem('account_busy', 'somebody else works on the account', { retryAfterSeconds: 2 });

/** What is told of a failure that the reaper will meet again. */
type Report = (error: unknown) => void;

/**
 * Keeps accounts out and lets them in again. The status changes first, and with it what the API and Kamailio read in the
 * database; the other servers follow. Whatever stops half-way is finished by the reaper, which also compares the chat
 * server's list with the table: each is restored from its own backup.
 */
@Injectable()
export class AccountSuspension {
  private comparedAt = 0;

  constructor(
    private readonly accounts: AccountRepository,
    private readonly suspensions: SuspensionRepository,
    private readonly access: AccountAccess,
    private readonly leases: Leases,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Refuses the account everywhere and ends what it has open. Suspending once more does the same once more.
   * @returns false when a server is away: it is told later
   * @throws Problem not_found, account_busy
   */
  async suspend(id: string): Promise<boolean> {
    const { sipDomain } = this.config.addresses;
    const held = await this.hold(id, (now, leaseUntil) => this.suspensions.suspend(id, sipDomain, now, leaseUntil));
    return this.finishOrPostpone(held);
  }

  /**
   * Lets a suspended account in again; its password and all that it had are as before.
   * @returns false when the chat server is away: the account is let in when that is back
   * @throws Problem not_found, account_busy
   */
  async resume(id: string): Promise<boolean> {
    const held = await this.hold(id, (now, leaseUntil) => this.suspensions.beginToResume(id, now, leaseUntil));
    return this.finishOrPostpone(held);
  }

  /** Finishes up to `most` changes that a crash or a failed server left. */
  async finishLeftovers(most: number, onFailure: Report, stopping?: AbortSignal): Promise<void> {
    await this.compareInTurn().catch(onFailure);
    for (let finished = 0; finished < most && !stopping?.aborted; finished += 1) {
      const account = await this.accounts.claimUnfinished(SUSPENSIONS, this.leases.now(), this.leases.fresh());
      if (!account) return;
      await this.finishOrPostpone(account, onFailure);
    }
  }

  /** Has the chat server refuse whom the table says, and nobody else. What is missing is left to `finishLeftovers`. */
  async compare(): Promise<void> {
    const { xmppDomain } = this.config.addresses;
    const refused = await this.access.refused();
    await this.suspensions.reopenMissing(refused, xmppDomain, this.leases.now());
    const wrongly = await this.suspensions.wronglyRefused(refused, xmppDomain);
    for (const username of wrongly) await this.access.admit(username);
  }

  private async compareInTurn(): Promise<void> {
    const now = this.leases.now().getTime();
    if (now - this.comparedAt < COMPARE_EVERY_MS) return;
    await this.compare();
    this.comparedAt = now;
  }

  /** Takes the account's lease with a change of status; waits a moment for whoever holds it. */
  private async hold(
    id: string,
    change: (now: Date, leaseUntil: Date) => Promise<HeldAccount | undefined>,
  ): Promise<HeldAccount> {
    const deadline = this.leases.now().getTime() + PATIENCE_MS;
    for (;;) {
      const held = await change(this.leases.now(), this.leases.fresh());
      if (held) return held;
      if (!(await this.accounts.hasStatus(id, SUSPENSIONS)))
        throw new Problem('not_found', 'there is no such account in that status');
      if (this.leases.now().getTime() >= deadline) throw busy();
      await delay(ASK_AGAIN_MS);
    }
  }

  private async finishOrPostpone(account: HeldAccount, onFailure: Report = () => {}): Promise<boolean> {
    try {
      await (account.status === 'suspended' ? this.finishSuspension(account) : this.finishResumption(account));
      return true;
    } catch (error) {
      onFailure(error);
      // Best effort: when the database is away, the lease runs out by itself.
      await this.accounts.expireLease(account.id, account.lease_until, this.leases.retry()).catch(() => {});
      return false;
    }
  }

  private async finishSuspension(account: HeldAccount): Promise<void> {
    await this.access.refuse(account.username);
    const held = await this.accounts.renew(account, this.leases.fresh());
    if (!held) throw busy();
    await this.access.endLatecomers(account.username);
    await this.suspensions.settle(held);
  }

  private async finishResumption(account: HeldAccount): Promise<void> {
    await this.access.admit(account.username);
    if (!(await this.suspensions.resume(account, this.config.addresses.sipDomain))) throw busy();
  }
}
