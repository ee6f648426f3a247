import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Kamailio } from '../../clients/kamailio/kamailio.client.js';
import { jidOf } from '../../common/jid.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { SessionEnding } from '../sessions/session-ending.js';

/** A part of every deletion. It may be done again after a crash. */
export type RemovalStep = (account: { id: string; username: string }) => Promise<void>;

/** Removes an account from the servers around the API. All of it may be done again after a crash. */
@Injectable()
export class AccountEraser {
  constructor(
    private readonly ejabberd: Ejabberd,
    private readonly kamailio: Kamailio,
    private readonly sessions: SessionEnding,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Ends all that a closed account has open, and keeps it out, step by step: as long as a stream is open, the chat server
   * stores what it says and hears, whatever was removed before. A step throws a Problem when a server fails.
   */
  readonly endings: readonly RemovalStep[] = [
    ({ username }) => this.ejabberd.suspend(username),
    ({ username }) => this.endContacts(username),
    ({ id }) => this.endSessions(id),
  ];

  /** Removes the chat server's user, and all that it keeps under the name. @throws Problem chat_server_unavailable */
  async erase(username: string): Promise<void> {
    await this.ejabberd.unregister(username);
  }

  /**
   * Removes what came too late: what others were just saying to the account is stored under its name a moment after it
   * is gone, and a phone that was let in before it was closed registers. @throws Problem when a server fails
   */
  async eraseLatecomers(username: string): Promise<void> {
    await this.ejabberd.unregister(username);
    await this.endContacts(username);
    await this.requireGone(username);
  }

  /**
   * Says no while the chat server has an account of the name: a registration that it was too slow to answer may be
   * carried out after its removal, and it calls an account removed that it could not remove.
   * @throws Problem account_busy
   */
  async requireGone(username: string): Promise<void> {
    if (!(await this.ejabberd.accountExists(username))) return;
    throw new Problem('account_busy', 'an earlier account of that name is still there', { retryAfterSeconds: 2 });
  }

  /** Waits for what the chat server was handling, but no longer than for an answer of its. */
  async settle(ms: number): Promise<void> {
    await delay(Math.min(ms, this.config.neighbours.timeoutMs));
  }

  private async endSessions(id: string): Promise<void> {
    if (await this.sessions.endAll(id)) return;
    throw new Problem('account_busy', 'something of the account is still open', { retryAfterSeconds: 2 });
  }

  private endContacts(username: string): Promise<void> {
    return this.kamailio.removeContacts(jidOf(username, this.config.addresses.sipDomain));
  }
}
