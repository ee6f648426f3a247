import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { Problem } from '../../common/problem.js';
import { InvitesService } from '../invites/invites.service.js';
import { AccountRepository, type AccountRow, type Reservation } from './account.repository.js';
import { AccountRemoval } from './account-removal.js';

const PATIENCE_MS = 3000;
const ASK_AGAIN_MS = 40;

export const taken = (): Problem => new Problem('username_taken', 'choose another username');
export const busy = (detail: string): Problem => new Problem('account_busy', detail, { retryAfterSeconds: 2 });

/** Takes names for accounts that are being made. A pending row is what decides between simultaneous attempts. */
@Injectable()
export class NameReservation {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly invites: InvitesService,
    private readonly removal: AccountRemoval,
    private readonly ejabberd: Ejabberd,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes a name, and with it a use of the invite. Waits a moment for whoever has either just now: how their
   * registration or removal ends, decides.
   * @throws Problem username_taken, invite_invalid, account_busy, chat_server_unavailable
   */
  async take(username: string, domain: string, invite: Buffer | null): Promise<Reservation> {
    const deadline = this.clock.milliseconds() + PATIENCE_MS;
    for (;;) {
      if (await this.isFree(username, domain)) {
        const reservation = { id: newId(), username, domain, leaseUntil: this.removal.newLease() };
        if (await this.undoable(reservation, () => this.insert(reservation, invite))) return reservation;
      }
      if (this.clock.milliseconds() >= deadline) throw busy('try again in a moment');
      await delay(ASK_AGAIN_MS);
      if (invite) await this.invites.requireUsable(invite);
    }
  }

  /** Runs a part of a registration; when it fails, what it may have reached is given back to be undone. */
  async undoable<T>({ id, leaseUntil }: Reservation, part: () => Promise<T>): Promise<T> {
    try {
      return await part();
    } catch (error) {
      // When the database is away as well, the lease runs out by itself.
      await this.accounts.expireLease(id, leaseUntil, this.clock.now()).catch(() => {});
      throw error;
    }
  }

  /** Clears what an earlier attempt or a deletion left; false while somebody is at work on it. @throws Problem username_taken */
  private async isFree(username: string, domain: string): Promise<boolean> {
    const existing = await this.accounts.find(username, domain);
    if (existing && !(await this.isCleared(existing))) return false;
    // Asked before the name is reserved: from then on a user of this name in the chat server is ours to remove.
    if (await this.ejabberd.accountExists(username)) throw taken();
    return true;
  }

  private async isCleared({ id, status, lease_until }: AccountRow): Promise<boolean> {
    if (status === 'active') throw taken();
    const leased = lease_until !== null && lease_until > this.clock.now();
    return !leased && this.removal.finishNow(id);
  }

  private insert(reservation: Reservation, invite: Buffer | null): Promise<boolean> {
    if (!invite) return this.accounts.reserve(reservation);
    return this.accounts.reserveByInvite(reservation, invite, this.clock.now());
  }
}
