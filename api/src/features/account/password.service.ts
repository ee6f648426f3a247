import { Injectable } from '@nestjs/common';
import type { Caller } from '../../http/access.js';
import { AccountEvents } from './account-events.js';
import { LoginService } from './login.service.js';
import { OneTimeCodes } from './one-time-codes.js';
import { requireUncommonPassword } from './password.js';
import { PasswordChange } from './password-change.js';

interface Account {
  id: string;
  username: string;
}

/** Passwords as their owners change them. */
@Injectable()
export class PasswordService {
  constructor(
    private readonly logins: LoginService,
    private readonly changes: PasswordChange,
    private readonly codes: OneTimeCodes,
    private readonly events: AccountEvents,
  ) {}

  /**
   * Gives the caller another password, in the chat server and for SIP, and ends everything but his own session.
   * @param present missing where the account has none
   * @returns whether it is done, or follows when a server that is away is back
   * @throws Problem validation_failed, invalid_credentials, reauthentication_required, account_busy
   */
  async change(caller: Caller, present: string | undefined, wanted: string): Promise<boolean> {
    await requireUncommonPassword(caller.username, wanted);
    await this.logins.requireOwner(caller, present);
    return this.make({ id: caller.accountId, username: caller.username }, wanted, caller.sessionId);
  }

  /**
   * Gives an account another password whose owner has proven otherwise who he is, and ends all of its sessions.
   * @returns whether it is done, or follows when a server that is away is back
   * @throws Problem validation_failed, account_busy
   */
  async set(account: Account, wanted: string): Promise<boolean> {
    await requireUncommonPassword(account.username, wanted);
    return this.make(account, wanted, null);
  }

  /**
   * As set, for whoever has a code for it, which is used up.
   * @throws Problem invalid_code, validation_failed, account_busy
   */
  reset(code: string, wanted: string): Promise<boolean> {
    return this.codes.redeem(code, 'reset_password', ({ account }) => this.set(account, wanted));
  }

  /** Codes that were given out for the password before open nothing any more. */
  private async make(account: Account, wanted: string, keptSessionId: string | null): Promise<boolean> {
    const made = await this.changes.make(account, wanted, keptSessionId);
    await this.codes.revoke(account.id, 'reset_password');
    await this.events.tell('password_changed', account.id);
    return made;
  }
}
