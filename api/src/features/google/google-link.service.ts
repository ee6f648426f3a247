import { Injectable } from '@nestjs/common';
import { Google } from '../../clients/google/google.client.js';
import { Problem } from '../../common/problem.js';
import type { Caller } from '../../http/access.js';
import { RECENT_SECONDS } from '../account/login.service.js';
import { SessionService } from '../sessions/session.service.js';
import { GoogleRepository } from './google.repository.js';

/** A Google account as one more way into an account, by its owner, who has just logged in. */
@Injectable()
export class GoogleLinkService {
  constructor(
    private readonly google: Google,
    private readonly links: GoogleRepository,
    private readonly sessions: SessionService,
  ) {}

  /** @throws Problem reauthentication_required, google_account_taken, and those of a sign-in */
  async link(caller: Caller, idToken: string): Promise<void> {
    await this.sessions.requireRecent(caller, RECENT_SECONDS);
    const { sub } = await this.google.verify(idToken);
    const result = await this.links.link(caller.accountId, sub);
    if (result === 'taken') throw new Problem('google_account_taken', 'it opens another account already');
    if (result === 'other')
      throw new Problem('google_account_taken', 'yours is opened by another one: unlink that first');
  }

  /** @throws Problem reauthentication_required, last_way_in when the account has no password */
  async unlink(caller: Caller): Promise<void> {
    await this.sessions.requireRecent(caller, RECENT_SECONDS);
    if (!(await this.links.unlink(caller.accountId))) throw new Problem('last_way_in', 'set a password first');
  }
}
