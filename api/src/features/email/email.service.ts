import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Problem } from '../../common/problem.js';
import type { Caller } from '../../http/access.js';
import { LoginService } from '../account/login.service.js';
import { type NamedAccount, requireEmail, typedName } from '../account/login-name.js';
import { OneTimeCodes } from '../account/one-time-codes.js';
import { EmailRepository, type EmailRow } from './email.repository.js';
import { Outbox } from './outbox.js';

const taken = (): Problem => new Problem('email_taken', 'another account has proved that it is its own');

/** The e-mail address of an account: how it is proved, changed, and used to get back in. */
@Injectable()
export class EmailService {
  constructor(
    private readonly emails: EmailRepository,
    private readonly outbox: Outbox,
    private readonly codes: OneTimeCodes,
    private readonly logins: LoginService,
    private readonly clock: Clock,
  ) {}

  /**
   * Sends a code to an address. It becomes the account's when the code comes back, and until then nothing changes.
   * @param password missing where the account has none
   * @throws Problem mail_off, validation_failed, email_taken, invalid_credentials, reauthentication_required
   */
  async change(caller: Caller, typed: string, password: string | undefined): Promise<void> {
    this.outbox.requireOn();
    const email = requireEmail(typed);
    await this.logins.requireOwner(caller, password);
    if (await this.emails.isProvedByOther(email, caller.accountId)) throw taken();
    await this.outbox.enqueue('verify_email', caller.accountId, email);
  }

  /**
   * The address that the code was sent to is the caller's from now on, whoever merely named it before.
   * @returns the address
   * @throws Problem invalid_code, email_taken
   */
  verify({ accountId }: Caller, code: string): Promise<string> {
    return this.codes.redeem(code, 'verify_email', ({ email }) => this.prove(accountId, email ?? ''), accountId);
  }

  /** @throws Problem invalid_credentials, reauthentication_required */
  async remove(caller: Caller, password: string | undefined): Promise<void> {
    await this.logins.requireOwner(caller, password);
    const before = await this.emails.remove(caller.accountId);
    if (before) await this.release(caller.accountId, before);
  }

  /** Notes that somebody wants a new password. Whether there is such an account shows neither here nor in the time taken. */
  async forgot(named: NamedAccount): Promise<void> {
    this.outbox.requireOn();
    await this.outbox.enqueueReset(typedName(named));
  }

  private async prove(accountId: string, email: string): Promise<string> {
    const before = await this.emails.prove(accountId, email, this.clock.now());
    if (before === 'taken') throw taken();
    if (before && before.email !== email) await this.release(accountId, before);
    return email;
  }

  /** The address before opens nothing any more, and whoever reads it is told. */
  private async release(accountId: string, { email, verified }: EmailRow): Promise<void> {
    if (!email || !verified) return;
    await this.codes.revoke(accountId, 'reset_password', email);
    await this.outbox.enqueue('email_changed', accountId, email);
  }
}
