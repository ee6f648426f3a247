import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { invalidField, Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { AccountRepository } from './account.repository.js';
import { AccountRemoval } from './account-removal.js';
import { requireUncommonPassword, sipCredentials } from './password.js';
import { requireUsername } from './username.js';

interface Reservation {
  id: string;
  username: string;
  domain: string;
  leaseUntil: Date;
}

const PATIENCE_MS = 3000;
const ASK_AGAIN_MS = 40;

const taken = (): Problem => new Problem('username_taken', 'choose another username');
const busy = (detail: string): Problem => new Problem('account_busy', detail, { retryAfterSeconds: 2 });

/**
 * Creates an account in every store or in none. A pending row reserves the name, then the chat server is asked, then one
 * transaction activates the account together with its SIP credentials. Whatever stops half-way is undone: by
 * the next attempt with the same name, or by the reaper.
 */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly removal: AccountRemoval,
    private readonly ejabberd: Ejabberd,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @returns the new account's id and folded username
   * @throws Problem validation_failed, username_taken, account_busy, chat_server_unavailable
   */
  async register(rawUsername: string, password: string): Promise<{ id: string; username: string }> {
    const username = requireUsername(rawUsername);
    await requireUncommonPassword(username, password);
    const reservation = await this.reserve(username);
    await this.undoable(reservation, async () => {
      await this.createChatAccount(reservation, password);
      await this.activate(reservation, password);
    });
    return reservation;
  }

  private async reserve(username: string): Promise<Reservation> {
    const domain = this.config.addresses.xmppDomain;
    for (;;) {
      await this.requireFreeName(username, domain);
      const reservation = { id: newId(), username, domain, leaseUntil: this.removal.newLease() };
      if (await this.undoable(reservation, () => this.accounts.reserve(reservation))) return reservation;
    }
  }

  /** Waits a moment for whoever registers or removes the name just now: how that ends, decides. */
  private async requireFreeName(username: string, domain: string): Promise<void> {
    const deadline = this.clock.milliseconds() + PATIENCE_MS;
    while (!(await this.isUnclaimed(username, domain))) {
      if (this.clock.milliseconds() >= deadline) throw busy('try again in a moment');
      await delay(ASK_AGAIN_MS);
    }
    // Asked before the name is reserved: from then on a user of this name in the chat server is ours to remove.
    if (await this.ejabberd.accountExists(username)) throw taken();
  }

  /** Clears what an earlier attempt or a deletion left; false while somebody is at work on it. */
  private async isUnclaimed(username: string, domain: string): Promise<boolean> {
    const existing = await this.accounts.find(username, domain);
    if (!existing) return true;
    if (existing.status === 'active') throw taken();
    const leased = existing.lease_until !== null && existing.lease_until > this.clock.now();
    return !leased && this.removal.finishNow(existing.id);
  }

  private async createChatAccount({ id, username, leaseUntil }: Reservation, password: string): Promise<void> {
    const result = await this.ejabberd.register(username, password);
    if (result === 'registered') return;
    await this.accounts.remove(id, leaseUntil);
    throw result === 'exists' ? taken() : invalidField('password', 'has characters that the chat server refuses');
  }

  private async activate(reservation: Reservation, password: string): Promise<void> {
    const { sipDomain } = this.config.addresses;
    const sip = sipCredentials(reservation.username, sipDomain, password);
    if (await this.accounts.activate(reservation, sipDomain, sip)) return;
    throw busy('the registration took too long and was undone');
  }

  /** Runs a part of a registration; when it fails, what it may have reached is given back to be undone. */
  private async undoable<T>({ id, leaseUntil }: Reservation, part: () => Promise<T>): Promise<T> {
    try {
      return await part();
    } catch (error) {
      // When the database is away as well, the lease runs out by itself.
      await this.accounts.expireLease(id, leaseUntil, this.clock.now()).catch(() => {});
      throw error;
    }
  }
}
