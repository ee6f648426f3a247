import { Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Problem } from '../../common/problem.js';
import { SessionEnding } from '../sessions/session-ending.js';
import { AccountRepository, type HeldAccount, SUSPENSIONS } from './account.repository.js';
import { Leases } from './leases.js';
import { SuspensionRepository } from './suspension.repository.js';

const PATIENCE_MS = 10_000;
const ASK_AGAIN_MS = 50;
const COMPARE_EVERY_MS = 60_000;
/** How long a login or registration that was let in just before may take to become a stream or a contact. */
const SETTLING_MS = 1000;

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
    private readonly ejabberd: Ejabberd,
    private readonly ending: SessionEnding,
    private readonly leases: Leases,
  ) {}

  /**
   * Refuses the account everywhere and ends what it has open. Suspending once more does the same once more.
   * @returns false when a server is away: it is told later
   * @throws Problem not_found, account_busy
   */
  async suspend(id: string): Promise<boolean> {
    const held = await this.hold(id, (now, leaseUntil) => this.suspensions.suspend(id, now, leaseUntil));
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
    for (let finished = 0; finished < most && !stopping?.aborted; finished += 1) {
      const account = await this.accounts.claimUnfinished(SUSPENSIONS, this.leases.now(), this.leases.fresh());
      if (!account) break;
      await this.finishOrPostpone(account, onFailure);
    }
    if (!stopping?.aborted) await this.compareInTurn().catch(onFailure);
  }

  /** Has the chat server refuse whom the table says, and nobody else. What is missing is left to `finishLeftovers`. */
  async compare(): Promise<void> {
    const refused = [...(await this.ejabberd.suspended())];
    await this.suspensions.reopenMissing(refused, this.leases.now());
    for (const username of await this.suspensions.wronglyRefused(refused)) await this.ejabberd.resume(username);
  }

  private async compareInTurn(): Promise<void> {
    const now = this.leases.now().getTime();
    if (now - this.comparedAt < COMPARE_EVERY_MS) return;
    // Also when it fails: an outage of the chat server is told by others.
    this.comparedAt = now;
    await this.compare();
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
      const exists = await this.accounts.hasStatus(id, SUSPENSIONS);
      if (!exists) throw new Problem('not_found', 'there is no such account in that status');
      if (this.leases.now().getTime() >= deadline) throw busy();
      await this.leases.wait(ASK_AGAIN_MS);
    }
  }

  private async finishOrPostpone(account: HeldAccount, onFailure: Report = () => {}): Promise<boolean> {
    const held = { ...account };
    try {
      return await (held.status === 'suspended' ? this.finishSuspension(held) : this.finishResumption(held));
    } catch (error) {
      onFailure(error);
      // Best effort: when the database is away, the lease runs out by itself.
      await this.accounts.expireLease(held.id, held.lease_until, this.leases.retry()).catch(() => {});
      return false;
    }
  }

  /** @returns whether all that it had open has ended, or ends when a server that is away is back */
  private async finishSuspension(held: HeldAccount): Promise<boolean> {
    const refusal = this.ejabberd.suspend(held.username);
    // Whatever becomes of the refusal: what is open ends as soon as it can.
    await Promise.allSettled([refusal, this.ending.endAll(held.id)]);
    await refusal;
    await this.prolong(held);
    await this.leases.wait(SETTLING_MS);
    const ended = await this.ending.endAll(held.id);
    await this.suspensions.settle(held);
    return ended;
  }

  private async finishResumption(held: HeldAccount): Promise<boolean> {
    await this.ejabberd.resume(held.username);
    if (!(await this.suspensions.resume(held))) throw busy();
    return true;
  }

  /** The lease begins anew. @throws Problem account_busy when it was lost */
  private async prolong(held: HeldAccount): Promise<void> {
    const renewed = await this.accounts.renew(held, this.leases.fresh());
    if (!renewed) throw busy();
    held.lease_until = renewed.lease_until;
  }
}
