import { Inject, Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { jidOf, usernameOf } from '../../common/jid.js';
import { invalidField, Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Caller } from '../../http/access.js';
import type { DeleteAccountAnswer, LoginAnswer, LoginRequest, RegisterAnswer, RegisterRequest } from './account.dto.js';
import { AccountRepository, NO_IDENTITIES } from './account.repository.js';
import { AccountRemoval } from './account-removal.js';
import { findUsername, requireEmail, typedName } from './login-name.js';
import { sipCredentials } from './password.js';
import { RegistrationService } from './registration.service.js';
import { type OpenedSession, SessionService } from './session.service.js';
import { madeUpUsername } from './username.js';

/** An account as other features know it. */
export interface KnownAccount {
  id: string;
  jid: string;
}

const wrongCredentials = (): Problem => new Problem('invalid_credentials', 'check both and try again');

@Injectable()
export class AccountService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly registration: RegistrationService,
    private readonly removal: AccountRemoval,
    private readonly sessions: SessionService,
    private readonly ejabberd: Ejabberd,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Whoever brings only an e-mail address gets a username that is made up. */
  async register({ username, email, password, invite_code: invite }: RegisterRequest): Promise<RegisterAnswer> {
    if (!username && !email) throw invalidField('username', 'or email is required');
    const identities = { ...NO_IDENTITIES, email: email ? requireEmail(email) : null };
    const account = await this.registration.register(username ?? madeUpUsername(), password, { invite, identities });
    return { status: 'registered', ...this.answer(await this.openSession(account.username)) };
  }

  /** Checks the password with the chat server, which keeps it (SCRAM). @throws Problem invalid_credentials */
  async login({ password, ...named }: LoginRequest): Promise<LoginAnswer> {
    const username = await findUsername(typedName(named), this.config.addresses.xmppDomain, this.accounts);
    if (!username) throw wrongCredentials();
    const session = await this.openIf(this.ejabberd.checkPassword(username, password), username);
    await this.keepSipCredentials({ id: session.accountId, username }, session.ha1, password);
    return this.answer(session);
  }

  /**
   * Closes the caller's account and removes it from every store.
   * @throws Problem forbidden for another's JID, invalid_credentials for a wrong password
   */
  async delete(caller: Caller, jid: string, password: string): Promise<DeleteAccountAnswer> {
    if (jid.toLowerCase() !== caller.jid) throw new Problem('forbidden', 'jid must be your own');
    if (!(await this.ejabberd.checkPassword(caller.username, password))) throw wrongCredentials();
    const account = { id: caller.accountId, username: caller.username, leaseUntil: this.removal.newLease() };
    const closed = await this.accounts.close(account, this.config.addresses.sipDomain);
    this.sessions.forget(caller.sessionId);
    if (!closed) return { status: 'deleting' };
    return this.finishDeletion(account);
  }

  /** The active accounts behind bare JIDs of this server, by JID; others are left out. */
  async findActive(jids: readonly string[]): Promise<Map<string, KnownAccount>> {
    const domain = this.config.addresses.xmppDomain;
    const usernames = jids.map((jid) => usernameOf(jid, domain)).filter((name) => name !== null);
    if (usernames.length === 0) return new Map();
    const rows = await this.accounts.findActive(usernames, domain);
    return new Map(rows.map(({ id, username }) => [jidOf(username, domain), { id, jid: jidOf(username, domain) }]));
  }

  /** The account is closed already: whatever fails from here on only delays the rest. */
  private async finishDeletion({ id, username, leaseUntil }: { id: string; username: string; leaseUntil: Date }) {
    const finished = await this.removal.finishOrPostpone({ id, username, status: 'deleting', lease_until: leaseUntil });
    return { status: finished ? ('deleted' as const) : ('deleting' as const) };
  }

  /** Kamailio's digest hash follows the password; it is written only when it differs. */
  private async keepSipCredentials(
    account: { id: string; username: string },
    storedHa1: string | null,
    password: string,
  ): Promise<void> {
    const { sipDomain } = this.config.addresses;
    const sip = sipCredentials(account.username, sipDomain, password);
    if (storedHa1 !== sip.ha1) await this.accounts.writeSubscriber(account, sipDomain, sip);
  }

  /** The session is written while the password is checked: a login waits for the slower of the two, not for both. */
  private async openIf(check: Promise<boolean>, username: string): Promise<OpenedSession> {
    const [checked, opened] = await Promise.allSettled([check, this.openSession(username)]);
    if (opened.status === 'rejected') throw checked.status === 'rejected' ? checked.reason : opened.reason;
    if (checked.status === 'fulfilled' && checked.value) return opened.value;
    await this.sessions.discard(opened.value);
    throw checked.status === 'rejected' ? checked.reason : wrongCredentials();
  }

  /** A user of the chat server alone has no account here, nor has one that is being deleted. */
  private async openSession(username: string): Promise<OpenedSession> {
    const session = await this.sessions.open(username);
    if (!session) throw wrongCredentials();
    return session;
  }

  private answer({ accountId, jid, token }: OpenedSession): LoginAnswer {
    return {
      jid,
      token,
      access_token: token,
      token_type: 'Bearer',
      expires_in: this.sessions.lifetimeSeconds,
      user_id: accountId,
    };
  }
}
