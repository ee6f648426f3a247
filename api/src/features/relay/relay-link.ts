import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Connection } from '../../realtime/protocol.js';
import type { Role } from './relay-frame.js';

/** A host that never answers must not fill the memory. */
const MOST_OWED = 10_000;

/** A message as it goes to a device. */
export interface Outgoing {
  id: number;
  reqId: string | null;
  text: string;
}

/** The connection of a device, and what was sent over it and is not acknowledged yet. */
export class RelayLink {
  private readonly owed = new Map<number, string | null>();
  /** What waits until the queue of the device has been sent, so that the order is kept. */
  private held: Outgoing[] | undefined;
  private confirming = false;

  constructor(
    readonly connection: Connection,
    readonly role: Role,
    private readonly acknowledge: (ids: readonly number[]) => void,
  ) {}

  get deviceId(): string {
    return this.connection.device.id;
  }

  owes(id: number): boolean {
    return this.owed.has(id);
  }

  /** Sends a message, or holds it back; one that was sent before is not sent again. */
  take(message: Outgoing): void {
    if (this.held) this.held.push(message);
    else this.send(message);
  }

  /** Sends a message now. */
  send({ id, reqId, text }: Outgoing): void {
    if (this.owed.has(id) || !this.connection.send(text)) return;
    this.owed.set(id, reqId);
    if (this.owed.size > MOST_OWED) this.owed.delete(this.owed.keys().next().value ?? id);
    if (this.role === 'client') void this.confirm();
  }

  /** From now on messages are held back. False when they are already. */
  hold(): boolean {
    if (this.held) return false;
    this.held = [];
    return true;
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const message of held) this.send(message);
  }

  /** The host has answered a command: the oldest with that id that it owes. */
  settle(reqId: string): void {
    for (const [id, owed] of this.owed) {
      if (owed !== reqId) continue;
      this.owed.delete(id);
      this.acknowledge([id]);
      return;
    }
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
      this.acknowledge(ids);
    }
    this.confirming = false;
  }
}
