import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { jidOf, usernameOf } from '../../common/jid.js';
import { Problem } from '../../common/problem.js';
import { InvitesService } from '../invites/invites.service.js';
import {
  AccountRepository,
  type AccountStatus,
  type Claim,
  type Claimant,
  type Reservation,
} from './account.repository.js';
import { AccountRemoval } from './account-removal.js';

/** What somebody is at work on, or was until he crashed. */
const UNFINISHED: AccountStatus[] = ['pending', 'deleting'];
const PATIENCE_MS = 3000;
const ASK_AGAIN_MS = 40;

export const taken = (): Problem => new Problem('username_taken', 'choose another username');
const emailTaken = (): Problem => new Problem('email_taken', 'log in with it, or choose another');
const googleTaken = (): Problem => new Problem('google_account_taken', 'it opens another account already');
export const busy = (detail: string): Problem => new Problem('account_busy', detail, { retryAfterSeconds: 2 });

/**
 * The names behind a claim. An address of our own domain and the username that it is as a JID belong together: people log
 * in with either, and must not get to different accounts.
 */
function namesOf({ username, domain, email }: Claim): { usernames: string[]; emails: string[] } {
  const namesake = email && usernameOf(email, domain);
  return {
    usernames: namesake ? [username, namesake] : [username],
    emails: email ? [email, jidOf(username, domain)] : [jidOf(username, domain)],
  };
}

function takenBy(existing: Claimant, { username, domain, googleSub }: Claim): Problem {
  if (googleSub && existing.googleSub === googleSub) return googleTaken();
  const hasName = existing.username === username || existing.email === jidOf(username, domain);
  return hasName ? taken() : emailTaken();
}

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
   * Takes what is claimed, and with it a use of the invite. Waits a moment for whoever has some of it just now: how their
   * registration or removal ends, decides.
   * @throws Problem username_taken, email_taken, google_account_taken, invite_invalid, account_busy,
   *   chat_server_unavailable
   */
  async take(claim: Claim, invite: Buffer | null): Promise<Reservation> {
    const deadline = this.clock.milliseconds() + PATIENCE_MS;
    for (;;) {
      if (await this.isFree(claim)) {
        const reservation = { id: newId(), ...claim, leaseUntil: this.removal.newLease() };
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

  /** Clears what an earlier attempt or a deletion left; false while somebody is at work on it. @throws Problem …_taken */
  private async isFree(claim: Claim): Promise<boolean> {
    const { usernames, emails } = namesOf(claim);
    const existing = await this.accounts.findClaimant(claim.domain, usernames, emails, claim.googleSub);
    if (existing && !UNFINISHED.includes(existing.status)) throw takenBy(existing, claim);
    if (existing && !(await this.isCleared(existing))) return false;
    // Asked after that: a name is retired in the moment in which its account goes.
    if (await this.removal.hasRetiredAny(usernames)) throw taken();
    // Asked before the name is reserved: from then on a user of this name in the chat server is ours to remove.
    if (await this.ejabberd.accountExists(claim.username)) throw taken();
    return true;
  }

  private async isCleared({ id, lease_until }: Claimant): Promise<boolean> {
    const leased = lease_until !== null && lease_until > this.clock.now();
    return !leased && this.removal.finishNow(id);
  }

  private insert(reservation: Reservation, invite: Buffer | null): Promise<boolean> {
    if (!invite) return this.accounts.reserve(reservation);
    return this.accounts.reserveByInvite(reservation, invite, this.clock.now());
  }
}
