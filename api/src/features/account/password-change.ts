import { Inject, Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { Problem } from '../../common/problem.js';
import { Seal } from '../../common/seal.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type EndingRow, SessionEnding } from '../sessions/session-ending.js';
import { sipCredentials } from './password.js';
import { PasswordChangeRepository, type PasswordChangeRow } from './password-change.repository.js';

/** A lease in neighbour timeouts: longer than one step may take. */
const LEASE_TIMEOUTS = 4;
/** How soon a change that failed is tried again. */
const RETRY_MS = 2000;

/**
 * Changes a password in the chat server and for SIP, together or not at all. The new one is noted first, sealed; from
 * there on the change only goes forward: when the chat server is away or we crash, the reaper finishes it.
 */
@Injectable()
export class PasswordChange {
  private readonly seal: Seal;
  private readonly leaseMs: number;
  private readonly sipDomain: string;

  constructor(
    private readonly changes: PasswordChangeRepository,
    private readonly ejabberd: Ejabberd,
    private readonly ending: SessionEnding,
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses, identity, neighbours }: Config,
  ) {
    this.seal = new Seal(identity.secrets, 'password change');
    this.leaseMs = LEASE_TIMEOUTS * neighbours.timeoutMs;
    this.sipDomain = addresses.sipDomain;
  }

  /**
   * @param keptSessionId the only session that goes on
   * @returns whether the change is made, or follows
   * @throws Problem account_busy while another change is under way, or when the account was closed
   */
  async make(
    account: { id: string; username: string },
    password: string,
    keptSessionId: string | null,
  ): Promise<boolean> {
    const sealed = this.seal.seal(password, account.id);
    const change = { id: newId(), accountId: account.id, username: account.username, sealed, keptSessionId };
    const leased = { ...change, leaseUntil: this.lease() };
    if (await this.changes.begin(leased)) return this.finishOrPostpone(leased);
    throw new Problem('account_busy', 'another change of the password is under way', { retryAfterSeconds: 2 });
  }

  /**
   * Finishes the account's change to this password, if one is under way: the chat server has it already. Whoever logs in
   * with it would otherwise lose that session to the change.
   * @returns whether there was one
   */
  async finishKnown(account: { id: string; username: string }, password: string): Promise<boolean> {
    const change = await this.changes.find(account.id);
    if (!change || this.seal.open(change.sealed, account.id) !== password) return false;
    const leaseUntil = this.lease();
    if (await this.changes.takeOver(change, leaseUntil)) await this.finish({ ...change, leaseUntil });
    return true;
  }

  /** Finishes up to `most` changes that a crash or a failed neighbour left. */
  async finishLeftovers(most: number, onFailure: (error: unknown) => void, stopping?: AbortSignal): Promise<void> {
    for (let finished = 0; finished < most && !stopping?.aborted; finished += 1) {
      const change = await this.changes.claim(this.clock.now(), this.lease());
      if (!change) return;
      await this.finishOrPostpone(change, onFailure);
    }
  }

  private async finishOrPostpone(
    change: PasswordChangeRow,
    onFailure: (error: unknown) => void = () => {},
  ): Promise<boolean> {
    try {
      return await this.finish(change);
    } catch (error) {
      onFailure(error);
      // When the database is away as well, the lease runs out by itself.
      await this.changes.expireLease(change, new Date(this.clock.milliseconds() + RETRY_MS)).catch(() => {});
      return false;
    }
  }

  private async finish(change: PasswordChangeRow): Promise<boolean> {
    const password = this.seal.open(change.sealed, change.accountId);
    if (password === null) {
      // The secrets were replaced meanwhile: nobody can finish it. Logging in mends the SIP credentials.
      await this.changes.remove(change.id);
      throw new Error('a change of password was sealed with a secret that is gone');
    }
    await this.ejabberd.changePassword(change.username, password);
    const sip = sipCredentials(change.username, this.sipDomain, password);
    let ending: EndingRow | undefined;
    const completed = await this.changes.complete(change, sip, this.clock.now(), async (transaction) => {
      ending = await this.ending.beginAll(change.accountId, change.keptSessionId, transaction);
    });
    if (completed && ending) await this.ending.finishOrPostpone(ending);
    return completed;
  }

  private lease(): Date {
    return new Date(this.clock.milliseconds() + this.leaseMs);
  }
}
