import { newId } from '../common/ids.js';

/** @param from the process that has published it */
export type Listener = (message: string, from: string) => void;

/**
 * What the API processes tell each other. It is a hint and nothing more: a message reaches every other process that is
 * there, at most once, in the order of its sender, or is lost. What must not be lost stands in PostgreSQL.
 */
export abstract class Bus {
  /** This process, as the others name it; another one after each start. */
  readonly self = newId();
  private readonly listeners = new Map<string, Listener>();
  private readonly gapListeners: (() => void)[] = [];
  private readonly lossListeners: ((peer: string) => void)[] = [];

  /** Whether what is published now is likely to arrive. */
  abstract readonly connected: boolean;

  /**
   * Into how many parts the processes have fallen, as far as is known: 1 while all hear each other. Else as many as there
   * were when they last did, and two before anything is known: others may be there.
   */
  abstract readonly parts: number;

  /** Tells every other process; false when it is known to be lost. */
  abstract publish(topic: string, message: string): boolean;

  /** Tells one other process; false when it is known to be lost. */
  abstract send(peer: string, topic: string, message: string): boolean;

  /** Resolves when processes hear each other; else it throws. */
  async ping(): Promise<void> {
    if (!this.connected) throw new Error('processes do not hear each other');
  }

  /** Hears what others publish, or send to this process. A topic has one listener. */
  subscribe(topic: string, listener: Listener): void {
    this.listeners.set(topic, listener);
  }

  /**
   * `listener` runs whenever messages may have been missed, here or by others: at the start, when a bus that was away is
   * back, and after a message could not be published.
   */
  onGap(listener: () => void): void {
    this.gapListeners.push(listener);
  }

  /** `listener` runs when a process has gone, or has not been heard of for seconds. */
  onPeerLost(listener: (peer: string) => void): void {
    this.lossListeners.push(listener);
  }

  protected deliver(topic: string, message: string, from: string): void {
    this.listeners.get(topic)?.(message, from);
  }

  protected tellOfGap(): void {
    for (const listener of this.gapListeners) listener();
  }

  protected tellOfLoss(peer: string): void {
    for (const listener of this.lossListeners) listener(peer);
  }
}

/** The bus of the only process: there are no others. */
export class LonelyBus extends Bus {
  readonly connected = true;
  readonly parts = 1;

  publish(): boolean {
    return true;
  }

  send(): boolean {
    return false;
  }
}
