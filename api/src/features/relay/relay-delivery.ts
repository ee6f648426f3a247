import { Injectable, Logger } from '@nestjs/common';
import { Bus } from '../../realtime/bus.js';
import { Presence } from '../../realtime/presence.js';
import type { Connection } from '../../realtime/protocol.js';
import { PairedDevices } from '../pairing/paired-devices.js';
import type { Role } from './relay-frame.js';
import { RelayJournal } from './relay-journal.js';
import { type Outgoing, RelayLink } from './relay-link.js';
import type { WaitingMessage } from './relay-messages.repository.js';
import { RelayReceipts } from './relay-receipts.js';

/** The name of the protocol: of its connections, and of what processes tell each other about them. */
export const RELAY = 'relay';

const PAGE_SIZE = 100;

/** A message, and whose device it is for. */
export interface Addressed extends Outgoing {
  accountId: string;
  to: string;
}

/**
 * Gives kept messages to the devices that are connected to this process, in order and once on each connection. That a
 * message is news to another process is told over the bus; when that fails, the process finds it in the table.
 */
@Injectable()
export class RelayDelivery {
  private readonly logger = new Logger('relay');
  private readonly links = new Map<string, RelayLink>();
  /** Whose queue could not be read when they came. */
  private readonly behind = new Set<RelayLink>();

  constructor(
    private readonly journal: RelayJournal,
    private readonly receipts: RelayReceipts,
    private readonly paired: PairedDevices,
    private readonly presence: Presence,
    private readonly bus: Bus,
  ) {
    bus.subscribe(RELAY, (message) => this.hear(JSON.parse(message)));
    // What fails now the next sweep does.
    bus.onGap(() => void this.sweep(null).catch(() => {}));
  }

  /** A device has come: what waits for it is sent first. */
  open(connection: Connection, role: Role): Promise<void> {
    const link = new RelayLink(connection, role, (ids) => this.receipts.add(ids));
    this.links.set(connection.device.id, link);
    return this.pull(link);
  }

  close({ device }: Connection): void {
    const link = this.links.get(device.id);
    if (!link || link.connection.open) return;
    this.links.delete(device.id);
    this.behind.delete(link);
  }

  linkOf({ device }: Connection): RelayLink | undefined {
    return this.links.get(device.id);
  }

  isOnline(deviceId: string): boolean {
    return this.presence.isOnline(deviceId, RELAY);
  }

  /** Gives a message to its device if it is connected anywhere; else it waits. */
  deliver(message: Addressed): void {
    if (this.hear(message) || !this.isOnline(message.to)) return;
    const { accountId, to, id, reqId, text } = message;
    this.bus.publish(RELAY, JSON.stringify({ accountId, to, id, reqId, text }));
  }

  /** A frame that is of no use later. False when the device did not get it. */
  pass(to: string, frame: object | string): boolean | Promise<boolean> {
    return this.presence.deliver(RELAY, to, frame);
  }

  /** Sends what other processes could not tell of, and what could not be read. @param before when it was written; null: whenever */
  async sweep(before: Date | null): Promise<void> {
    if (this.links.size === 0) return;
    const late = await this.journal.devicesWithWaiting([...this.links.keys()], before);
    const links = late.map((deviceId) => this.links.get(deviceId)).filter((link) => link !== undefined);
    await Promise.all([...new Set([...links, ...this.behind])].map((link) => this.pull(link)));
  }

  /** A device of this process is to get a message; false when there is none. An id may have been another account's before. */
  private hear({ accountId, to, id, reqId, text }: Addressed): boolean {
    const link = this.links.get(to);
    if (!link?.connection.open || link.connection.device.accountId !== accountId) return false;
    link.take({ id, reqId, text });
    return true;
  }

  private async pull(link: RelayLink): Promise<void> {
    if (!link.hold()) return;
    try {
      await this.sendWaiting(link);
      this.behind.delete(link);
    } catch (error) {
      if (link.connection.open) this.behind.add(link);
      this.logger.warn(`a queue waits to be read: ${error instanceof Error ? error.message : 'unknown'}`);
    } finally {
      link.release();
    }
  }

  private async sendWaiting(link: RelayLink): Promise<void> {
    for (let after = 0; link.connection.open; ) {
      const messages = await this.journal.waitingFor(link.deviceId, after, PAGE_SIZE);
      const peers = await this.paired.of(link.deviceId);
      for (const message of messages) this.sendKept(link, message, peers);
      if (messages.length < PAGE_SIZE) return;
      after = messages.at(-1)?.id ?? after;
    }
  }

  /** Whoever is paired no more reaches nobody, whenever he has sent it. */
  private sendKept(
    link: RelayLink,
    { id, from, reqId, sealed, accountId }: WaitingMessage,
    peers: readonly string[],
  ): void {
    const isTheirs = accountId === link.connection.device.accountId && peers.includes(from);
    if (!isTheirs || link.owes(id) || this.receipts.has(id)) return;
    const text = this.journal.open(sealed, accountId);
    if (text !== null) link.send({ id, reqId, text });
  }
}
