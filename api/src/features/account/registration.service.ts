import { Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { invalidField } from '../../common/problem.js';
import { InvitesService, type Stranger } from '../invites/invites.service.js';
import { AccountRepository, type Identities, NO_IDENTITIES, type Reservation } from './account.repository.js';
import { AccountEvents } from './account-events.js';
import { busy, NameReservation, taken } from './name-reservation.js';
import { requireUncommonPassword, sipCredentials } from './password.js';
import { requireUsername } from './username.js';

/** Who makes the account: a stranger, for whom the setting REGISTRATION counts, or the operator. */
export type Maker = Stranger | 'operator';

/** What an account is besides its username and password. */
export interface Wishes {
  /** What it is to be known by as well. */
  identities?: Identities;
  /** False when nobody is told the password: phones can't be used, and setting one asks for none. */
  hasPassword?: boolean;
}

/**
 * Creates an account in every store or in none. A pending row reserves the name, then the chat server is asked, then one
 * transaction activates the account together with its SIP credentials. Whatever stops half-way is undone: by
 * the next attempt with the same name, or by the reaper.
 */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly names: NameReservation,
    private readonly invites: InvitesService,
    private readonly ejabberd: Ejabberd,
    private readonly events: AccountEvents,
  ) {}

  /**
   * @returns the new account's id and folded username
   * @throws Problem registration_closed, invite_required, invite_invalid, validation_failed, username_taken, email_taken,
   *   google_account_taken, rate_limited, account_busy, chat_server_unavailable
   */
  async register(
    rawUsername: string,
    password: string,
    maker: Maker,
    { identities = NO_IDENTITIES, hasPassword = true }: Wishes = {},
  ): Promise<{ id: string; username: string }> {
    // Before the name is looked at: without an invite nobody learns which are taken.
    const admittedBy = maker === 'operator' ? null : await this.invites.admit(maker);
    const username = requireUsername(rawUsername);
    await requireUncommonPassword(username, password);
    const { domain } = this.accounts;
    const reservation = await this.names.take({ username, domain, ...identities }, admittedBy);
    await this.names.undoable(reservation, async () => {
      await this.createChatAccount(reservation, password);
      await this.activate(reservation, hasPassword ? password : null);
    });
    if (identities.email && !identities.emailVerifiedAt) await this.events.tell('email_named', reservation.id);
    return reservation;
  }

  private async createChatAccount({ id, username, leaseUntil }: Reservation, password: string): Promise<void> {
    // Who had the name before may have left something, after all: nobody inherits it.
    await this.ejabberd.unregister(username);
    const result = await this.ejabberd.register(username, password);
    if (result === 'registered') return;
    await this.accounts.remove(id, leaseUntil);
    throw result === 'exists' ? taken() : invalidField('password', 'has characters that the chat server refuses');
  }

  private async activate(reservation: Reservation, password: string | null): Promise<void> {
    const sip = password === null ? null : sipCredentials(reservation.username, this.accounts.sipDomain, password);
    if (await this.accounts.activate(reservation, sip)) return;
    throw busy('the registration took too long and was undone');
  }
}
