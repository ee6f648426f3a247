import { Inject, Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Kamailio } from '../../clients/kamailio/kamailio.client.js';
import { Clock } from '../../common/clock.js';
import { jidOf } from '../../common/jid.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Queries } from '../../database/database.module.js';
import { type ContactRow, type EndingRow, SessionEndingRepository } from './session-ending.repository.js';

export type { EndingRow };

/** Says of a device whether what runs on it has to end. Only a device that is known to stay is spared. */
export type Ends = (deviceId: string | null) => boolean;

/** What a feature does about its own connections when sessions end. It may be run again after a crash. */
export type EndingStep = (account: { id: string; username: string }, ends: Ends) => Promise<void>;

/** When another process takes an ending up that somebody has begun. Two at once do no harm. */
const TAKE_OVER_MS = 5000;
/** How soon an ending that failed is tried again. */
const RETRY_MS = 2000;

/**
 * Ends sessions: their tokens at once, and their XMPP streams, SIP registrations and whatever features add, within
 * seconds, or as soon as a server that is away is back. A stream belongs to a session when its resource is the session's
 * device, a registration when its instance (RFC 5626) ends in it.
 */
@Injectable()
export class SessionEnding {
  private readonly steps: EndingStep[] = [];
  private readonly sipDomain: string;

  constructor(
    private readonly endings: SessionEndingRepository,
    private readonly ejabberd: Ejabberd,
    private readonly kamailio: Kamailio,
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.sipDomain = addresses.sipDomain;
    this.steps.push(
      ({ username }, ends) => this.ejabberd.endStreams(username, ends),
      ({ username }, ends) => this.endRegistrations(username, ends),
    );
  }

  /** Another feature's part of every ending. */
  addStep(step: EndingStep): void {
    this.steps.push(step);
  }

  /** Ends one session. @returns whether everything of it has ended, or has to follow; undefined when there is none */
  async end(accountId: string, sessionId: string): Promise<boolean | undefined> {
    const ending = await this.endings.end(accountId, sessionId, this.dueAt());
    return ending && this.finishOrPostpone(ending);
  }

  /** Ends all sessions of one device, and what else it has. @returns whether everything of it has ended */
  async endDevice(accountId: string, deviceId: string): Promise<boolean> {
    const ending = await this.endings.endDevice(accountId, deviceId, this.dueAt());
    return ending !== undefined && this.finishOrPostpone(ending);
  }

  /** Ends all sessions but the kept one, and all that belongs to none. @returns whether everything of them has ended */
  async endAll(accountId: string, keptSessionId: string | null = null): Promise<boolean> {
    const ending = await this.beginAll(accountId, keptSessionId);
    return ending !== undefined && this.finishOrPostpone(ending);
  }

  /** As endAll, as part of somebody's transaction, after which finishOrPostpone does the rest. */
  beginAll(accountId: string, keptSessionId: string | null, transaction?: Queries): Promise<EndingRow | undefined> {
    return this.endings.endOthers(accountId, keptSessionId, this.dueAt(), transaction);
  }

  /** Finishes up to `most` endings that a crash or a failed neighbour left. */
  async finishLeftovers(most: number, onFailure: (error: unknown) => void, stopping?: AbortSignal): Promise<void> {
    for (let finished = 0; finished < most && !stopping?.aborted; finished += 1) {
      const ending = await this.endings.claimDue(this.clock.now(), this.dueAt());
      if (!ending) return;
      await this.finishOrPostpone(ending, onFailure);
    }
  }

  /** Ends what belongs to the sessions; false when a server failed, and the reaper has to try again. */
  async finishOrPostpone(ending: EndingRow, onFailure: (error: unknown) => void = () => {}): Promise<boolean> {
    try {
      await this.finish(ending);
      return true;
    } catch (error) {
      onFailure(error);
      // When the database is away as well, it is due soon anyway.
      await this.endings.postpone(ending.id, new Date(this.clock.milliseconds() + RETRY_MS)).catch(() => {});
      return false;
    }
  }

  private dueAt(): Date {
    return new Date(this.clock.milliseconds() + TAKE_OVER_MS);
  }

  /** Every step is tried, whichever fails. */
  private async finish(ending: EndingRow): Promise<void> {
    const account = { id: ending.accountId, username: ending.username };
    const ends = endsOf(ending);
    const results = await Promise.allSettled(ending.reopened ? [] : this.steps.map((step) => step(account, ends)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    await this.endings.remove(ending.id);
  }

  private async endRegistrations(username: string, ends: Ends): Promise<void> {
    const addressOfRecord = jidOf(username, this.sipDomain);
    for (const row of await this.endings.contactsOf(username, this.sipDomain)) {
      if (ends(deviceOf(row))) await this.kamailio.removeContact(addressOfRecord, row.contact);
    }
  }
}

/** Whatever can't be told to be the kept device's ends with the others. */
const endsOf =
  ({ deviceId, keptDeviceId }: EndingRow): Ends =>
  (candidate) =>
    deviceId === null ? candidate === null || candidate !== keptDeviceId : candidate === deviceId;

/** The last part of `"<urn:uuid:…>"`. */
const deviceOf = ({ instance }: ContactRow): string | null => /([^:<>"]+)>?"?$/.exec(instance ?? '')?.[1] ?? null;
