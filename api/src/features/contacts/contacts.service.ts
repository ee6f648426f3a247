import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { wireId } from '../../common/device-id.js';
import { jidOf, usernameOf } from '../../common/jid.js';
import { invalidField, Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Caller } from '../../http/access.js';
import { Presence } from '../../realtime/presence.js';
import type { DeviceRow } from '../devices/device.js';
import { DevicesService } from '../devices/devices.service.js';
import type { ContactAnswer, ContactDevice } from './contacts.dto.js';
import { type ContactRow, ContactsRepository } from './contacts.repository.js';

const MOST_CONTACTS = 500;
/** The rest of a list are accounts that nobody has answered. */
const MOST_LISTED = 1000;

/** Two accounts whose devices may reach each other, because both have said so. */
@Injectable()
export class ContactsService {
  private readonly domain: string;
  private readonly listeners: ((one: string, other: string) => void)[] = [];

  constructor(
    private readonly contacts: ContactsRepository,
    private readonly devices: DevicesService,
    private readonly presence: Presence,
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
  }

  /** `listener` runs when this process has changed whether one account lets the other. */
  onChange(listener: (one: string, other: string) => void): void {
    this.listeners.push(listener);
  }

  /** Whether the devices of one may reach those of the other. */
  areMutual(one: string, other: string): Promise<boolean> {
    return this.contacts.areMutual(one, other);
  }

  async list({ accountId }: Caller): Promise<ContactAnswer[]> {
    const rows = await this.contacts.list(accountId, MOST_LISTED);
    return this.answers(rows);
  }

  /** Lets an account's devices reach the caller's, once it lets the caller's too. @throws Problem not_found, too_many_contacts */
  async allow(caller: Caller, jid: string): Promise<ContactAnswer> {
    const contactId = await this.find(jid);
    if (contactId === caller.accountId) throw invalidField('jid', 'must be another account');
    const outcome = await this.contacts.allow(caller.accountId, contactId, this.clock.now(), MOST_CONTACTS);
    if (outcome === 'full') throw new Problem('too_many_contacts', `an account has at most ${MOST_CONTACTS} contacts`);
    if (outcome === 'gone') throw new Problem('unauthenticated', 'the account is being deleted');
    this.changed(caller.accountId, contactId);
    const [answer] = await this.answers(await this.contacts.list(caller.accountId, 1, contactId));
    if (!answer) throw noSuchAccount();
    return answer;
  }

  /** Lets it no more: from now on neither reaches the other. @throws Problem not_found when it was not let */
  async withdraw(caller: Caller, jid: string): Promise<void> {
    const username = usernameOf(jid, this.domain);
    const contactId = username && (await this.contacts.withdraw(caller.accountId, username, this.domain));
    if (!contactId) throw new Problem('not_found', 'the account is no contact of yours');
    this.changed(caller.accountId, contactId);
  }

  private changed(one: string, other: string): void {
    for (const listener of this.listeners) listener(one, other);
  }

  private async find(jid: string): Promise<string> {
    const username = usernameOf(jid, this.domain);
    const id = username === null ? undefined : await this.contacts.accountNamed(username, this.domain);
    if (id === undefined) throw noSuchAccount();
    return id;
  }

  private async answers(rows: readonly ContactRow[]): Promise<ContactAnswer[]> {
    const reachable = rows.filter((row) => isMutual(row) && row.isActive).map(({ accountId }) => accountId);
    const devices = Map.groupBy(await this.devices.list(...reachable), ({ accountId }) => accountId);
    return rows.map((row) => ({
      jid: jidOf(row.username, this.domain),
      state: isMutual(row) ? 'mutual' : row.allowedAt ? 'allowed' : 'asking',
      devices: (devices.get(row.accountId) ?? []).map((device) => this.deviceAnswer(device)),
    }));
  }

  /** Enough to reach it; what its owner calls it is his. */
  private deviceAnswer({ id, kind }: DeviceRow): ContactDevice {
    return { id: wireId(id), type: kind, is_online: this.presence.isOnline(id) };
  }
}

const isMutual = ({ allowedAt, allowsAt }: ContactRow): boolean => allowedAt !== null && allowsAt !== null;

const noSuchAccount = (): Problem => new Problem('not_found', 'there is no such account');
