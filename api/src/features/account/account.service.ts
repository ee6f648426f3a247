import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { jidOf, usernameOf } from '../../common/jid.js';
import { invalidField, Problem } from '../../common/problem.js';
import type { Caller } from '../../http/access.js';
import type { OpenSession } from '../sessions/session.service.js';
import type { RegisterRequest } from './account.dto.js';
import { AccountRepository, NO_IDENTITIES } from './account.repository.js';
import { AccountRemoval } from './account-removal.js';
import { LoginService } from './login.service.js';
import { requireEmail } from './login-name.js';
import { RegistrationService } from './registration.service.js';
import { madeUpUsername } from './username.js';

/** An account as other features know it. */
export interface KnownAccount {
  id: string;
  jid: string;
}

@Injectable()
export class AccountService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly registration: RegistrationService,
    private readonly removal: AccountRemoval,
    private readonly logins: LoginService,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes an account and logs in. Whoever brings only an e-mail address gets a username that is made up.
   * @param address of the client, which the limit on wrong invites counts by
   */
  async register(
    { username, email, password, invite_code, ...device }: RegisterRequest,
    address: string,
  ): Promise<OpenSession> {
    if (!username && !email) throw invalidField('username', 'or email is required');
    const startedAt = this.clock.now();
    const identities = { ...NO_IDENTITIES, email: email ? requireEmail(email) : null };
    const stranger = { invite: invite_code, address };
    const account = await this.registration.register(username ?? madeUpUsername(), password, stranger, { identities });
    return this.logins.open(account, { id: device.device_id, name: device.device_name }, startedAt);
  }

  /**
   * Closes the caller's account and removes it from every store.
   * @param password missing where the account has none
   * @returns whether everything is gone already, or follows when a server that is away is back
   * @throws Problem forbidden for another's JID, invalid_credentials, reauthentication_required
   */
  async delete(caller: Caller, jid: string, password: string | undefined): Promise<boolean> {
    if (jid.toLowerCase() !== caller.jid) throw new Problem('forbidden', 'jid must be your own');
    await this.logins.requireOwner(caller, password);
    const account = { id: caller.accountId, username: caller.username, leaseUntil: this.removal.newLease() };
    const closed = await this.accounts.close(account, this.accounts.sipDomain);
    this.logins.forget(caller);
    // The account is closed: whatever fails from here on only delays the rest.
    return closed && this.removal.finishOrPostpone({ ...account, status: 'deleting', lease_until: account.leaseUntil });
  }

  /** The active accounts behind bare JIDs of this server, by JID; others are left out. */
  async findActive(jids: readonly string[]): Promise<Map<string, KnownAccount>> {
    const { domain } = this.accounts;
    const usernames = jids.map((jid) => usernameOf(jid, domain)).filter((name) => name !== null);
    if (usernames.length === 0) return new Map();
    const rows = await this.accounts.findActive(usernames, domain);
    return new Map(rows.map(({ id, username }) => [jidOf(username, domain), { id, jid: jidOf(username, domain) }]));
  }
}
