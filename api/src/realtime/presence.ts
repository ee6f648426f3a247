import { Injectable } from '@nestjs/common';
import { Bus } from './bus.js';
import { CLOSE, type DeviceSocket } from './device-socket.js';
import { RemoteDelivery } from './remote-delivery.js';

/** A device has come, or gone: a connection that takes the place of another is neither. */
export interface PresenceChange {
  readonly protocol: string;
  readonly deviceId: string;
  readonly accountId: string;
  readonly online: boolean;
  /** Whether it has come to this process, or gone from it. */
  readonly here: boolean;
}

/** A connection at another process. */
interface Remote {
  readonly peer: string;
  readonly accountId: string;
  readonly order: number;
}

/** A connection as processes tell each other of it. */
type Entry = readonly [protocol: string, deviceId: string, accountId: string, order: number, online: boolean];

interface Message {
  readonly entries: readonly Entry[];
  /** These are all connections of the process. */
  readonly all?: true;
  /** Tell me all of yours. */
  readonly ask?: true;
}

const TOPIC = 'presence';
const keyOf = (protocol: string, deviceId: string): string => `${protocol} ${deviceId}`;

/**
 * Who is connected, to this process and to all others: each tells the others of its own, and holds what they have told, so
 * that a look costs nothing. What another process has is forgotten with that process. Of two connections of a device the
 * later one stays, wherever they are; a Lamport clock says which that is, and the name of the process where it can't.
 */
@Injectable()
export class Presence {
  private readonly local = new Map<string, DeviceSocket>();
  private readonly remote = new Map<string, Remote>();
  private readonly byAccount = new Map<string, Set<DeviceSocket>>();
  private readonly protocols = new Set<string>();
  private readonly watchers: ((change: PresenceChange) => void)[] = [];
  private readonly elsewhere: RemoteDelivery;
  private untold: Entry[] = [];
  private clock = 0;

  constructor(private readonly bus: Bus) {
    this.elsewhere = new RemoteDelivery(bus, (protocol, deviceId, text) => this.deliverHere(protocol, deviceId, text));
    bus.subscribe(TOPIC, (message, from) => this.hear(JSON.parse(message), from));
    bus.onGap(() => this.bus.publish(TOPIC, JSON.stringify({ ...this.everything(), ask: true })));
    bus.onPeerLost((peer) => this.forget(peer, new Set()));
  }

  /** The connections of this process. */
  get connections(): Iterable<DeviceSocket> {
    return this.local.values();
  }

  get count(): number {
    return this.local.size;
  }

  /** Whether any device is connected to another process. */
  get hasRemote(): boolean {
    return this.remote.size > 0;
  }

  /** `watcher` runs in every process for every device that comes or goes, wherever it does. */
  watch(watcher: (change: PresenceChange) => void): void {
    this.watchers.push(watcher);
  }

  /** Whether a device is connected anywhere: in this protocol, or in any. */
  isOnline(deviceId: string, protocol?: string): boolean {
    const names = protocol === undefined ? [...this.protocols] : [protocol];
    return names.map((name) => keyOf(name, deviceId)).some((key) => this.local.has(key) || this.remote.has(key));
  }

  /** The connection of a device, if this process has it. */
  here(protocol: string, deviceId: string): DeviceSocket | undefined {
    return this.local.get(keyOf(protocol, deviceId));
  }

  /** The connections of an account, in any protocol, that this process has. */
  ofAccount(accountId: string): readonly DeviceSocket[] {
    return [...(this.byAccount.get(accountId) ?? [])];
  }

  /**
   * Gives a frame to a device, wherever it is connected. True says that a process has written it to the connection, not that
   * the device has got it. At once for a device of this process, and in order; else within two seconds.
   */
  deliver(protocol: string, deviceId: string, frame: object | string): boolean | Promise<boolean> {
    const key = keyOf(protocol, deviceId);
    const connection = this.local.get(key);
    if (connection) return connection.send(frame);
    const remote = this.remote.get(key);
    if (!remote) return false;
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    return this.elsewhere.deliver(remote.peer, protocol, deviceId, text);
  }

  /** A connection has begun: an older one of its device ends, here or elsewhere. */
  enter(connection: DeviceSocket): void {
    const { protocol, device } = connection;
    const key = keyOf(protocol.name, device.id);
    this.clock += 1;
    connection.order = this.clock;
    this.protocols.add(protocol.name);
    const older = this.local.get(key);
    const wasOnline = this.remote.delete(key) || older !== undefined;
    this.local.set(key, connection);
    if (older) this.replace(older);
    this.index(connection);
    this.tell(connection, true);
    if (!wasOnline) this.changed(protocol.name, device.id, device.accountId, true, true);
  }

  /** A connection has ended. One that was replaced has left before. */
  leave(connection: DeviceSocket): void {
    const { protocol, device } = connection;
    const key = keyOf(protocol.name, device.id);
    this.unindex(connection);
    if (this.local.get(key) !== connection) return;
    this.local.delete(key);
    this.tell(connection, false);
    this.changed(protocol.name, device.id, device.accountId, false, true);
  }

  private deliverHere(protocol: string, deviceId: string, text: string): boolean {
    return this.here(protocol, deviceId)?.send(text) ?? false;
  }

  private replace(older: DeviceSocket): void {
    this.unindex(older);
    older.close(CLOSE.policy, 'Replaced by new connection');
  }

  private hear({ entries, all, ask }: Message, peer: string): void {
    if (all) this.forget(peer, new Set(entries.map(([protocol, deviceId]) => keyOf(protocol, deviceId))));
    for (const entry of entries) this.hearOf(entry, peer);
    if (ask) this.bus.send(peer, TOPIC, JSON.stringify(this.everything()));
  }

  private hearOf([protocol, deviceId, accountId, order, online]: Entry, peer: string): void {
    this.clock = Math.max(this.clock, order);
    this.protocols.add(protocol);
    const key = keyOf(protocol, deviceId);
    const known = this.remote.get(key);
    if (!online) {
      if (known?.peer !== peer || known.order > order) return;
      this.remote.delete(key);
      this.changed(protocol, deviceId, accountId, false);
      return;
    }
    const mine = this.local.get(key);
    if (mine && !isLater({ order, peer }, { order: mine.order, peer: this.bus.self })) return;
    if (known && !isLater({ order, peer }, known)) return;
    this.remote.set(key, { peer, accountId, order });
    if (mine) {
      this.local.delete(key);
      this.replace(mine);
    } else if (!known) this.changed(protocol, deviceId, accountId, true);
  }

  /** The devices of a process have gone, but for those. */
  private forget(peer: string, kept: ReadonlySet<string>): void {
    for (const [key, remote] of this.remote) {
      if (remote.peer !== peer || kept.has(key)) continue;
      this.remote.delete(key);
      const [protocol = '', deviceId = ''] = key.split(' ');
      this.changed(protocol, deviceId, remote.accountId, false);
    }
  }

  private everything(): Message {
    const entries = Array.from(this.local.values(), (connection) => entryOf(connection, true));
    return { entries, all: true };
  }

  /** All that happens in one turn of the event loop is told at once. */
  private tell(connection: DeviceSocket, online: boolean): void {
    this.untold.push(entryOf(connection, online));
    if (this.untold.length > 1) return;
    setImmediate(() => {
      const entries = this.untold;
      this.untold = [];
      this.bus.publish(TOPIC, JSON.stringify({ entries }));
    });
  }

  private changed(protocol: string, deviceId: string, accountId: string, online: boolean, here = false): void {
    for (const watcher of this.watchers) watcher({ protocol, deviceId, accountId, online, here });
  }

  private index(connection: DeviceSocket): void {
    const { accountId } = connection.device;
    const known = this.byAccount.get(accountId);
    if (known) known.add(connection);
    else this.byAccount.set(accountId, new Set([connection]));
  }

  private unindex(connection: DeviceSocket): void {
    const { accountId } = connection.device;
    const known = this.byAccount.get(accountId);
    if (known?.delete(connection) && known.size === 0) this.byAccount.delete(accountId);
  }
}

const entryOf = ({ protocol, device, order }: DeviceSocket, online: boolean): Entry => [
  protocol.name,
  device.id,
  device.accountId,
  order,
  online,
];

type Stamp = Pick<Remote, 'order' | 'peer'>;

const isLater = (one: Stamp, other: Stamp): boolean =>
  one.order > other.order || (one.order === other.order && one.peer > other.peer);
