import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
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

/** So much of a queue is sent at once; more when the device has read it. */
const PAGE = { most: 100, bytes: 64 * 1024 };
/** Whoever answers no ping for so long gets more all the same: if he does not read, the core ends the connection. */
const PATIENCE_MS = 10_000;

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
    private readonly clock: Clock,
  ) {
    bus.subscribe(RELAY, (message) => this.hear(JSON.parse(message)));
    // What fails now the next sweep does.
    bus.onGap(() => void this.sweep(null).catch(() => {}));
  }

  /** A device has come: what waits for it is sent first. */
  open(connection: Connection, role: Role): Promise<void> {
    const link = new RelayLink(connection, role, this.receipts, this.clock);
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
    const { accountId, to, id, reqId, kind, text, until } = message;
    this.bus.publish(RELAY, JSON.stringify({ accountId, to, id, reqId, kind, text, until }));
  }

  /** A frame that is of no use later. False when the device did not get it. */
  pass(to: string, frame: object | string): boolean | Promise<boolean> {
    return this.presence.deliver(RELAY, to, frame);
  }

  /** Sends what other processes could not tell of, and what could not be read. @param before when it was written; null: whenever */
  async sweep(before: Date | null): Promise<void> {
    if (this.links.size === 0) return;
    const late = new Set(this.behind);
    // Most of what waits has been sent, and is being worked on.
    for (const { id, from, to } of await this.journal.waiting([...this.links.values()], before)) {
      const link = this.links.get(to);
      if (link && !late.has(link) && !link.has(id) && (await this.paired.of(to)).includes(from)) late.add(link);
    }
    // A slow device keeps the others waiting for nothing.
    for (const link of late) void this.pull(link);
  }

  /** A device of this process is to get a message; false when there is none. An id may have been another account's before. */
  private hear({ accountId, to, ...message }: Addressed): boolean {
    const link = this.links.get(to);
    if (!link?.connection.open || link.accountId !== accountId) return false;
    link.take(message);
    return true;
  }

  private async pull(link: RelayLink): Promise<void> {
    if (!link.hold()) return;
    try {
      let last = 0;
      do last = await this.sendWaiting(link, last);
      while (!link.release());
      this.behind.delete(link);
    } catch (error) {
      if (link.connection.open) this.behind.add(link);
      this.logger.warn(`a queue waits to be read: ${error instanceof Error ? error.message : 'unknown'}`);
      link.giveUp();
    }
  }

  /**
   * Page by page: more than a device has read is not put on the line, and nothing is sent that has expired meanwhile.
   * @param last the id after which it begins. @returns that of the last one
   */
  private async sendWaiting(link: RelayLink, last: number): Promise<number> {
    for (let after = last; ; ) {
      const messages = link.connection.open ? await this.journal.waitingFor(link, after, PAGE) : [];
      const peers = await this.paired.of(link.deviceId);
      const sent = messages.filter((message) => this.sendKept(link, message, peers));
      const bytes = messages.reduce((sum, { sealed }) => sum + sealed.length, 0);
      after = messages.at(-1)?.id ?? after;
      if (messages.length < PAGE.most && bytes < PAGE.bytes) return after;
      if (sent.length === 0) continue;
      link.skip();
      await hasRead(link.connection);
    }
  }

  /** Whoever is paired no more reaches nobody, whenever he has sent it. False when nothing was sent. */
  private sendKept(
    link: RelayLink,
    { id, from, reqId, kind, sealed, accountId, until }: WaitingMessage,
    peers: readonly string[],
  ): boolean {
    if (!peers.includes(from) || link.has(id)) return false;
    const text = this.journal.open(sealed, accountId);
    return text !== null && link.send({ id, reqId, kind, text, until });
  }
}

async function hasRead(connection: Connection): Promise<void> {
  const enough = new AbortController();
  await Promise.race([
    connection.confirmed(),
    delay(PATIENCE_MS, undefined, { signal: enough.signal, ref: false }).catch(ignore),
  ]);
  enough.abort();
}

const ignore = (): void => {};
