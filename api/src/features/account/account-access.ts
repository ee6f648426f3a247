import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Kamailio } from '../../clients/kamailio/kamailio.client.js';
import { jidOf } from '../../common/jid.js';
import { CONFIG, type Config } from '../../config/config.js';

/** How long a login or registration that was let in just before may take to become a stream or a contact. */
const SETTLING_MS = 1000;

/** Whether the chat server and the call server let an account in. What they keep of it is not touched. */
@Injectable()
export class AccountAccess {
  constructor(
    private readonly ejabberd: Ejabberd,
    private readonly kamailio: Kamailio,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Keeps the account out of the chat server, and ends its streams and registrations. Kamailio must refuse its digest
   * already. @throws Problem when a server fails; the other one has done its part
   */
  async refuse(username: string): Promise<void> {
    await both(this.ejabberd.suspend(username), this.endContacts(username));
  }

  /** Ends what came in while the account was being refused. @throws Problem as above */
  async endLatecomers(username: string): Promise<void> {
    await delay(Math.min(SETTLING_MS, this.config.neighbours.timeoutMs));
    await both(this.ejabberd.endStreams(username), this.endContacts(username));
  }

  /** Lets the account into the chat server again. */
  async admit(username: string): Promise<void> {
    await this.ejabberd.resume(username);
  }

  /** The names that the chat server refuses. */
  async refused(): Promise<string[]> {
    return [...(await this.ejabberd.suspended())];
  }

  private endContacts(username: string): Promise<void> {
    return this.kamailio.removeContacts(jidOf(username, this.config.addresses.sipDomain));
  }
}

/** Waits for the end of both, then throws what the first of them threw. */
async function both(one: Promise<void>, other: Promise<void>): Promise<void> {
  await Promise.allSettled([one, other]);
  await one;
  await other;
}
