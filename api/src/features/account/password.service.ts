import { Injectable } from '@nestjs/common';
import type { Caller } from '../../http/access.js';
import { LoginService } from './login.service.js';
import { requireUncommonPassword } from './password.js';
import { PasswordChange } from './password-change.js';

/** Passwords as their owners change them. */
@Injectable()
export class PasswordService {
  constructor(
    private readonly logins: LoginService,
    private readonly changes: PasswordChange,
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
    return this.changes.make({ id: caller.accountId, username: caller.username }, wanted, caller.sessionId);
  }

  /**
   * Gives an account another password whose owner has proven otherwise who he is, and ends all of its sessions.
   * @returns whether it is done, or follows when a server that is away is back
   * @throws Problem validation_failed, account_busy
   */
  async set(account: { id: string; username: string }, wanted: string): Promise<boolean> {
    await requireUncommonPassword(account.username, wanted);
    return this.changes.make(account, wanted, null);
  }
}
