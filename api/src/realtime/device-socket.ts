import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Caller } from '../http/access.js';
import type { KnownDevice } from './device-directory.js';
import type { Connection, SocketProtocol, Way } from './protocol.js';

/** What a client may owe: bytes that were sent to it and that it has not taken. */
const MOST_UNREAD_BYTES = 1024 * 1024;

/** Close codes of RFC 6455 (7.4.1) and of the IANA registry that this server uses. */
export const CLOSE = {
  unsupported: 1003,
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  restart: 1012,
  later: 1013,
} as const;

/** A client's WebSocket, and the connection below it. */
export interface Line {
  readonly client: WebSocket;
  readonly stream: Duplex;
}

/** Who has been let in. */
export interface Admitted {
  readonly device: KnownDevice;
  readonly caller: Caller;
  /** Which of the protocol's paths. */
  readonly path: string;
  readonly way: Way;
}

/** The connection of a device that has shown that it may have one. */
export class DeviceSocket implements Connection {
  /** Of two connections of a device the later one has the higher number, also where they are at different processes. */
  order = 0;
  /** Whether anything has come from it since the last ping. */
  alive = true;
  cutForReading = false;
  private gathering = false;
  /** Pings are numbered, and a number is the payload of its ping. */
  private lastPing = 0;
  private lastAnswered = 0;
  /** Who waits until a ping is answered, by its number and in their order. */
  private waiting: Map<number, (confirmed: boolean) => void> | undefined;

  constructor(
    readonly protocol: SocketProtocol,
    private readonly admitted: Admitted,
    private readonly line: Line,
    private readonly onSent: () => void,
  ) {}

  get device(): KnownDevice {
    return this.admitted.device;
  }

  get caller(): Caller {
    return this.admitted.caller;
  }

  get path(): string {
    return this.admitted.path;
  }

  get way(): Way {
    return this.admitted.way;
  }

  get open(): boolean {
    return this.line.client.readyState === this.line.client.OPEN;
  }

  send(frame: object | string): boolean {
    if (!this.open) return false;
    if (this.line.client.bufferedAmount > MOST_UNREAD_BYTES) {
      this.cutForReading = true;
      this.line.client.terminate();
      return false;
    }
    this.gather();
    this.line.client.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    this.onSent();
    return true;
  }

  close(code: number, reason: string): void {
    this.line.client.close(code, reason);
  }

  confirmed(): Promise<boolean> {
    if (!this.open) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.waiting ??= new Map();
    this.waiting.set(this.sendPing(), resolve);
    return promise;
  }

  /**
   * A pong has come: to a ping that was sent, and then to those before it (RFC 6455, 5.5.3), or to none.
   * @returns whether a ping is answered that was not
   */
  answered(payload: string): boolean {
    this.alive = true;
    const ping = Number(payload);
    const isNumber = Number.isInteger(ping) && String(ping) === payload;
    if (!isNumber || ping <= this.lastAnswered || ping > this.lastPing) return false;
    this.lastAnswered = ping;
    this.settle(ping, true);
    return true;
  }

  /** The connection has ended. */
  ended(): void {
    this.settle(this.lastPing, false);
  }

  /** Asks for a sign of life; cuts off who has given none since the last time. */
  ping(): void {
    if (!this.alive) {
      this.line.client.terminate();
      return;
    }
    this.alive = false;
    this.sendPing();
    this.protocol.pinged(this);
  }

  private sendPing(): number {
    this.lastPing += 1;
    this.line.client.ping(String(this.lastPing), undefined, ignore);
    return this.lastPing;
  }

  /** What is sent in one turn goes out in one write: a system call costs more than all the rest of a frame. */
  private gather(): void {
    if (this.gathering) return;
    this.gathering = true;
    this.line.stream.cork();
    process.nextTick(sendGathered, this);
  }

  /** Sends what has been gathered. */
  flush(): void {
    this.gathering = false;
    this.line.stream.uncork();
  }

  /** @param last of the pings that are settled */
  private settle(last: number, confirmed: boolean): void {
    for (const [ping, resolve] of this.waiting ?? []) {
      if (ping > last) return;
      this.waiting?.delete(ping);
      resolve(confirmed);
    }
  }
}

/** What can't be sent any more is noticed when the socket closes. */
const ignore = (): void => {};

const sendGathered = (socket: DeviceSocket): void => socket.flush();
