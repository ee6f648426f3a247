import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../common/clock.js';
import type { Connection } from '../../realtime/protocol.js';
import { answeredKind } from './relay-answers.js';
import type { RelayedFrame, Role } from './relay-frame.js';
import type { RelayReceipts } from './relay-receipts.js';

/** A host that never answers must not fill the memory. At most half of them can wait: RELAY_QUEUE_MAX is no more. */
const MOST_OWED = 10_000;
/** In characters: less than what ends a connection that does not read. What is more comes from the queue later, if it is in one. */
const MOST_HELD = 128 * 1024;

/** A message as it goes to a device. */
export interface Outgoing {
  id: number;
  /** Of a command, and which it is: by these an answer is known. */
  reqId: string | null;
  kind: string;
  text: string;
  /** When its time is over, in milliseconds of the epoch; null: the queue is full, and it waits for nobody. */
  until: number | null;
}

type Owed = Pick<Outgoing, 'reqId' | 'kind' | 'until'>;

/** The connection of a device, and what was sent over it and is not acknowledged yet. */
export class RelayLink {
  private readonly owed = new Map<number, Owed>();
  /** What waits until the queue of the device has been sent, so that the order is kept. */
  private held: Outgoing[] | undefined;
  private heldLength = 0;
  /** Whether the queue is being sent. */
  private pulling = false;
  /** What the host has answered before the queue of its commands has been sent: it has them of an earlier connection. */
  private readonly early = new Set<string>();
  private confirming = false;

  constructor(
    readonly connection: Connection,
    readonly role: Role,
    private readonly receipts: Pick<RelayReceipts, 'add' | 'has'>,
    private readonly clock: Pick<Clock, 'milliseconds'>,
  ) {}

  get deviceId(): string {
    return this.connection.device.id;
  }

  get accountId(): string {
    return this.connection.device.accountId;
  }

  /** Whether a message has been sent, and need not be again. */
  has(id: number): boolean {
    return this.owed.has(id) || this.receipts.has(id);
  }

  /** Sends a message, or holds it back; one that was sent before is not sent again. */
  take(message: Outgoing): void {
    if (!this.held) {
      this.send(message);
      return;
    }
    this.heldLength += message.text.length;
    if (this.heldLength <= MOST_HELD) this.held.push(message);
    else if (message.until === null) this.send(message);
  }

  /** Sends a message now. False when it need not be sent, or can't be: whatever kept it for so long, it is not sent late. */
  send({ id, reqId, kind, text, until }: Outgoing): boolean {
    if (this.has(id) || this.isOver(until)) return false;
    if (reqId !== null && this.early.delete(reqId)) {
      this.receipts.add([id]);
      return false;
    }
    if (!this.connection.send(text)) return false;
    this.owed.set(id, { reqId, kind, until });
    if (this.owed.size > MOST_OWED) this.forgetOver();
    if (this.role === 'client') void this.confirm();
    return true;
  }

  /** From now on messages are held back, for the queue is sent. False when it is being sent already. */
  hold(): boolean {
    if (this.pulling) return false;
    this.pulling = true;
    this.held ??= [];
    return true;
  }

  /** The queue takes its time: what is held back, and what comes, is read from there when its turn has come. */
  skip(): void {
    const { held = [] } = this;
    this.held = [];
    this.heldLength = Number.POSITIVE_INFINITY;
    for (const message of held) if (message.until === null) this.send(message);
  }

  /** Sends what was held back. False when that was not all: the rest is in the queue, and messages are still held back. */
  release(): boolean {
    const { held = [], heldLength } = this;
    const isAll = heldLength <= MOST_HELD;
    this.held = isAll ? undefined : [];
    this.heldLength = 0;
    for (const message of held) this.send(message);
    if (isAll) this.early.clear();
    this.pulling = !isAll;
    return isAll;
  }

  /** The queue can't be read at the moment: what is held back waits until it has been sent, so that the order is kept. */
  giveUp(): void {
    this.pulling = false;
  }

  /** The host has acknowledged a command: the oldest with that id that it owes. False when it owes none. */
  settle(reqId: string): boolean {
    if (this.settleFirst((owed) => owed.reqId === reqId)) return true;
    if (this.held && this.early.size < MOST_OWED) this.early.add(reqId);
    return false;
  }

  /**
   * The host has told something: that it has done the command of that id, or, as apps of the field do, the oldest of the kind
   * that it would be an answer to, and that still waits for one.
   */
  answered(event: RelayedFrame): void {
    if (event.reqId !== null && this.settle(event.reqId)) return;
    const kind = answeredKind(event);
    if (kind === undefined) return;
    this.settleFirst((owed) => owed.kind === kind && !this.isOver(owed.until));
  }

  private isOver(until: number | null): boolean {
    return until !== null && until <= this.clock.milliseconds();
  }

  /** What waits no more need not be remembered: nobody sends it again. What waits must be. */
  private forgetOver(): void {
    for (const [id, { until }] of this.owed) if (until === null || this.isOver(until)) this.owed.delete(id);
  }

  private settleFirst(isAnswered: (owed: Owed) => boolean): boolean {
    for (const [id, owed] of this.owed) {
      if (!isAnswered(owed)) continue;
      this.owed.delete(id);
      this.receipts.add([id]);
      return true;
    }
    return false;
  }

  /**
   * Apps of the field acknowledge no event. But whoever answers a ping of the WebSocket protocol has read everything that was
   * sent before it (RFC 6455 §5.5.3).
   */
  private async confirm(): Promise<void> {
    if (this.confirming) return;
    this.confirming = true;
    while (this.owed.size > 0) {
      // All that is sent in one turn is confirmed by one ping.
      await nextTurn();
      const ids = [...this.owed.keys()];
      if (!(await this.connection.confirmed())) return;
      for (const id of ids) this.owed.delete(id);
      this.receipts.add(ids);
    }
    this.confirming = false;
  }
}
