import { Injectable, Logger } from '@nestjs/common';
import { wireId } from '../../common/device-id.js';
import { Problem } from '../../common/problem.js';
import { isDatabaseUnavailable } from '../../database/database-errors.js';
import type { Connection } from '../../realtime/protocol.js';
import { PairedDevices } from '../pairing/paired-devices.js';
import { RelayCommands } from './relay-commands.js';
import { RelayDelivery } from './relay-delivery.js';
import { expiredNews, forwarded, type RelayedFrame, type Role, undelivered } from './relay-frame.js';
import { RelayJournal } from './relay-journal.js';

/** Frames of one sender that wait for its pairings: a database that is slow must not fill the memory. */
const MOST_HELD = 256;

/** Passes frames on to the devices that their sender is paired with, and to no other. */
@Injectable()
export class RelayRouter {
  private readonly logger = new Logger('relay');
  /** Frames of connections whose pairings are being looked up. */
  private readonly held = new Map<Connection, RelayedFrame[]>();

  constructor(
    private readonly paired: PairedDevices,
    private readonly commands: RelayCommands,
    private readonly journal: RelayJournal,
    private readonly delivery: RelayDelivery,
  ) {}

  /** Passes a frame on: at once when it is known with whom its sender is paired, and in order if not. */
  route(connection: Connection, role: Role, frame: RelayedFrame): void | Promise<void> {
    // Whatever becomes of the news, the host has done the command: it must not get it again.
    if (frame.type === 'event') this.delivery.linkOf(connection)?.answered(frame);
    const held = this.held.get(connection);
    if (held) {
      if (held.length < MOST_HELD) held.push(frame);
      else this.fail(connection, frame.to, frame.reqId, new Problem('database_unavailable', 'it does not keep up'));
      return;
    }
    const peers = this.peersOf(connection, frame);
    if (peers) void this.pass(connection, role, frame, peers);
    else return this.lookUp(connection, role, [frame]);
  }

  private async lookUp(connection: Connection, role: Role, frames: RelayedFrame[]): Promise<void> {
    this.held.set(connection, frames);
    try {
      const peers = await this.paired.of(connection.device.id);
      for (const frame of frames) void this.pass(connection, role, frame, peers);
    } catch (error) {
      for (const frame of frames) {
        const known = this.peersOf(connection, frame);
        if (known) void this.pass(connection, role, frame, known);
        else this.fail(connection, frame.to, frame.reqId, error);
      }
    } finally {
      this.held.delete(connection);
    }
  }

  /** Whom a sender is known to be paired with. While the database is away, news and signalling go to whom it was last. */
  private peersOf({ device }: Connection, { type }: RelayedFrame): readonly string[] | undefined {
    return this.paired.known(device.id) ?? (type === 'command' ? undefined : this.paired.lastKnown(device.id));
  }

  private async pass(connection: Connection, role: Role, frame: RelayedFrame, peers: readonly string[]): Promise<void> {
    const { to, reqId, type } = frame;
    const targets = targetsOf(role, to, peers);
    if (targets.length === 0) {
      connection.send(to === null ? nobody(role) : undelivered('not paired', to, reqId));
      return;
    }
    try {
      if (type === 'command') await this.command(connection, targets[0] as string, frame);
      else if (type === 'event') await this.event(connection, targets, frame);
      else await this.signal(connection, targets, frame);
    } catch (error) {
      this.fail(connection, targets[0] ?? null, reqId, error);
    }
  }

  private async command(
    connection: Connection,
    to: string,
    { kind, reqId: given, fields }: RelayedFrame,
  ): Promise<void> {
    const { id: from, accountId } = connection.device;
    const { status, reqId } = await this.commands.send({ accountId, from, to, kind, reqId: given, fields });
    if (status === 'full') connection.send(undelivered('queue full', to, reqId));
    else if (status === 'expired') connection.send(expiredNews(to, reqId));
    else if (status === 'queued') {
      connection.send({ type: 'queued', target_device_id: wireId(to), req_id: reqId });
    }
  }

  /** An event that can't be kept is passed on all the same: whoever is there learns of it. */
  private async event(connection: Connection, targets: readonly string[], frame: RelayedFrame): Promise<void> {
    const { id: from, accountId } = connection.device;
    const { kind, reqId, fields } = frame;
    const text = forwarded(fields, from);
    this.journal.count(accountId, text, targets.length);
    const keep = async (to: string): Promise<void> => {
      const { id, until } = await this.journal.keep({ accountId, from, to, type: 'event', kind, reqId, text });
      if (id !== null) this.delivery.deliver({ accountId, to, id, reqId: null, kind, text, until });
    };
    const results = await Promise.allSettled(targets.map(keep));
    const failed = results.find((result) => result.status === 'rejected');
    if (!failed) return;
    const unkept = targets.filter((_, index) => results[index]?.status === 'rejected');
    for (const to of unkept) void this.delivery.pass(to, text);
    throw failed.reason;
  }

  /** The media of a call are agreed now or not at all. */
  private async signal(
    connection: Connection,
    targets: readonly string[],
    { reqId, fields }: RelayedFrame,
  ): Promise<void> {
    const text = forwarded(fields, connection.device.id);
    const passed = targets.map((to) => this.delivery.pass(to, text));
    if (passed.includes(true)) return;
    if ((await Promise.all(passed)).includes(true)) return;
    connection.send(undelivered('target_offline', targets[0] ?? null, reqId));
  }

  private fail(connection: Connection, to: string | null, reqId: string | null, error: unknown): void {
    // The account has gone, and the connection will.
    if (error instanceof Problem && error.code === 'unauthenticated') return;
    if (!(error instanceof Problem) && !isDatabaseUnavailable(error)) {
      this.logger.error(`a frame was not passed on: ${error instanceof Error ? error.message : 'unknown'}`);
    }
    const isLimit = error instanceof Problem && error.code === 'rate_limited';
    connection.send(undelivered(isLimit ? 'rate limited' : 'temporarily unavailable', to, reqId));
  }
}

/** A client speaks to one host, a host to all of its clients, unless they say to whom. */
function targetsOf(role: Role, to: string | null, peers: readonly string[]): readonly string[] {
  if (to !== null) return peers.includes(to) ? [to] : [];
  return role === 'client' ? peers.slice(0, 1) : peers;
}

const nobody = (role: Role) => ({ error: role === 'client' ? 'no paired host' : 'no paired client' });
