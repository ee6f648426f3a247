import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { newPassword } from '../../common/code.js';
import { jidOf } from '../../common/jid.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type AccountStatus, NO_IDENTITIES } from './account.repository.js';
import type { KnownAccount } from './account.service.js';
import { DirectoryRepository, type DirectoryRow } from './directory.repository.js';
import { readingsOf, requireEmail } from './login-name.js';
import { RegistrationService } from './registration.service.js';

/** The accounts there are, for the operator. */
@Injectable()
export class AccountDirectory {
  private readonly domain: string;

  constructor(
    private readonly directory: DirectoryRepository,
    private readonly registration: RegistrationService,
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
  }

  /** All of them, in every status, by name. */
  list(): Promise<DirectoryRow[]> {
    return this.directory.list(this.domain, this.clock.now());
  }

  /**
   * Makes an account whatever the setting REGISTRATION says. Nobody knows its password: the user sets one by a code.
   * @param email another name to log in with, which nobody has proved
   * @throws Problem validation_failed, username_taken, email_taken, account_busy, chat_server_unavailable
   */
  async add(username: string, email: string | undefined): Promise<KnownAccount> {
    const identities = { ...NO_IDENTITIES, email: email === undefined ? null : requireEmail(email) };
    const wishes = { identities, hasPassword: false };
    const account = await this.registration.register(username, newPassword(), 'operator', wishes);
    return { id: account.id, jid: jidOf(account.username, this.domain) };
  }

  /** @param typed a username, a bare JID or an e-mail address, in any case. @throws Problem not_found */
  async find(typed: string): Promise<{ id: string; username: string; jid: string; status: AccountStatus }> {
    const { username, email } = readingsOf(typed, this.domain);
    const account = await this.directory.find(username, email, this.domain);
    if (!account) throw new Problem('not_found', 'there is no such account');
    return { ...account, jid: jidOf(account.username, this.domain) };
  }
}
