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

const taken = (): Problem => new Problem('username_taken', 'choose another username');

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
    await this.requireFreeName(username);
    const reservation = this.newReservation(username);
    try {
      await this.reserve(reservation);
      await this.createChatAccount(reservation, password);
      await this.activate(reservation, password);
    } catch (error) {
      await this.giveBack(reservation);
      throw error;
    }
    return reservation;
  }

  private async requireFreeName(username: string): Promise<void> {
    const existing = await this.accounts.find(username, this.config.addresses.xmppDomain);
    if (existing?.status === 'active') throw taken();
    if (existing) await this.clearLeftover(existing.id, existing.lease_until);
    // Asked before the name is reserved: from then on a user of this name in the chat server is ours to remove.
    if (await this.ejabberd.accountExists(username)) throw taken();
  }

  private async clearLeftover(id: string, leaseUntil: Date | null): Promise<void> {
    if (leaseUntil && leaseUntil > this.clock.now()) throw taken();
    if (await this.removal.finishNow(id)) return;
    throw new Problem('account_busy', 'try again in a moment', { retryAfterSeconds: 2 });
  }

  private newReservation(username: string): Reservation {
    return {
      id: newId(),
      username,
      domain: this.config.addresses.xmppDomain,
      leaseUntil: this.removal.newLease(),
    };
  }

  private async reserve(reservation: Reservation): Promise<void> {
    if (!(await this.accounts.reserve(reservation))) throw taken();
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
    throw new Problem('account_busy', 'the registration took too long and was undone', { retryAfterSeconds: 2 });
  }

  /** Whatever of it was reached. Best effort: when the database is away as well, the lease runs out by itself. */
  private async giveBack({ id, leaseUntil }: Reservation): Promise<void> {
    await this.accounts.expireLease(id, leaseUntil, this.clock.now()).catch(() => {});
  }
}
