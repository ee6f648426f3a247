import { Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Clock } from '../../common/clock.js';
import { invalidField, Problem } from '../../common/problem.js';
import type { Caller } from '../../http/access.js';
import { type Device, type OpenSession, SessionService } from '../sessions/session.service.js';
import { AccountRepository, SUSPENSIONS } from './account.repository.js';
import { LoginAttempts } from './login-attempts.js';
import { sipCredentials } from './password.js';
import { PasswordChange } from './password-change.js';

const wrongCredentials = (): Problem => new Problem('invalid_credentials', 'check both and try again');

/** How old a login may be that stands for a password. */
export const RECENT_SECONDS = 600;

/** Lets in whoever knows the password, which the chat server keeps and checks (SCRAM). */
@Injectable()
export class LoginService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly sessions: SessionService,
    private readonly attempts: LoginAttempts,
    private readonly change: PasswordChange,
    private readonly ejabberd: Ejabberd,
    private readonly clock: Clock,
  ) {}

  /**
   * @param name a username, a bare JID or an e-mail address, in any case
   * @param address of the client, which the limits count by
   * @throws Problem invalid_credentials, account_suspended, rate_limited, chat_server_unavailable
   */
  async login(name: string, password: string, device: Device, address: string): Promise<OpenSession> {
    const startedAt = this.clock.now();
    const account = await this.accounts.findLogin(name);
    // Where nobody has the name, somebody else's password is compared and the result ignored: it takes the same time.
    const target = account?.known ? account.id : name.toLowerCase();
    const isRight = await this.attempts.count(target, address, async () => {
      const matches = account !== undefined && (await this.ejabberd.checkPassword(account.username, password));
      return matches && account.known;
    });
    if (!account || !isRight) throw wrongCredentials();
    const sip = sipCredentials(account.username, this.accounts.sipDomain, password);
    // Kamailio's digest hash follows the password, and is the last of it to change.
    const hasNews = account.ha1 !== sip.ha1;
    const hasChanged = hasNews && (await this.change.finishKnown(account, password));
    const session = await this.open(account, device, hasChanged ? this.clock.now() : startedAt);
    if (hasNews && !hasChanged) await this.accounts.repairSubscriber(account, sip);
    return session;
  }

  /**
   * Opens a session of an account whose owner has proven who he is.
   * @param startedAt when he began to
   * @throws Problem account_suspended; invalid_credentials when the account was closed, or got another password, meanwhile
   */
  async open(account: { id: string; username: string }, device: Device, startedAt: Date): Promise<OpenSession> {
    const session = await this.sessions.open(account, device, startedAt);
    if (session) return session;
    const isSuspended = await this.accounts.hasStatus(account.id, SUSPENSIONS);
    throw isSuspended ? new Problem('account_suspended', 'ask the operator of this server') : wrongCredentials();
  }

  /**
   * Has the caller prove once more who he is: by the password, or where the account has none by a recent login.
   * @throws Problem invalid_credentials, validation_failed, reauthentication_required
   */
  async requireOwner(caller: Caller, password: string | undefined): Promise<void> {
    if (password !== undefined) {
      if (!(await this.ejabberd.checkPassword(caller.username, password))) throw wrongCredentials();
    } else if (await this.accounts.hasPassword(caller.accountId)) {
      throw invalidField('password', 'is required');
    } else {
      await this.sessions.requireRecent(caller, RECENT_SECONDS);
    }
  }

  /** This process stops trusting the caller's token at once. */
  forget({ sessionId }: Caller): void {
    this.sessions.forget(sessionId);
  }
}
