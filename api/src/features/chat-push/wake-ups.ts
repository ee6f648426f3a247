import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { type Counter, Metrics } from '../../common/metrics.js';
import type { PushNode } from '../push/push-nodes.js';
import type { PushResult } from '../push/push-notification.js';
import { PushSender } from '../push/push-sender.js';

/** What became of it; `coalesced`: the device is told together with what else comes within seconds. */
export type WakeUp = PushResult | 'coalesced';

/** A device is told once in this time, however much comes for it. */
export const COALESCING_MS = 10_000;

/** So long providers have for the pushes that are left when the process ends. */
const LAST_PUSHES_MS = 10_000;

interface Window {
  readonly device: PushNode;
  readonly openedAt: number;
  /** How the device was told when it was opened. */
  readonly urgent: boolean;
  /** How it is to be told when it is over; undefined when nothing has come since. */
  later: { urgent: boolean } | undefined;
}

/**
 * Wakes devices for chat. The first message is told at once; what comes within the next seconds is told together when
 * these are over, so that a flood makes few pushes and the last message is not forgotten. What is urgent does not wait
 * for a window that was opened by something that was not. Windows are kept in memory, in each process its own.
 */
@Injectable()
export class WakeUps implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger('ChatPush');
  private readonly windows = new Map<string, Window>();
  private readonly counter: Counter<'outcome'>;
  private stopping = false;

  constructor(
    @Inject(PushSender) private readonly sender: Pick<PushSender, 'send'>,
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.counter = metrics.counter('chat_pushes_total', 'Publications of ejabberd, by what became of them', [
      'outcome',
    ]);
  }

  async wake(node: string, device: PushNode, urgent: boolean): Promise<WakeUp> {
    const window = this.windows.get(node);
    if (window && !this.stopping && this.isOpen(window) && (window.urgent || !urgent)) {
      window.later = { urgent: urgent || window.later?.urgent === true };
      return this.count('coalesced');
    }
    return this.tell(node, device, urgent);
  }

  /** Counts what else became of a publication. */
  count<Outcome extends string>(outcome: Outcome): Outcome {
    this.counter.inc({ outcome });
    return outcome;
  }

  /** Tells the devices whose time is over and for which something came meanwhile. */
  async tellLater(): Promise<void> {
    const over = [...this.windows].filter(([, window]) => this.stopping || !this.isOpen(window));
    await Promise.all(over.map(([node, window]) => this.close(node, window)));
  }

  /** Nothing waits any more. */
  onModuleDestroy(): void {
    this.stopping = true;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.race([this.tellLater(), delay(LAST_PUSHES_MS, undefined, { ref: false })]);
  }

  private isOpen({ openedAt }: Window): boolean {
    return this.clock.milliseconds() - openedAt < COALESCING_MS;
  }

  private async close(node: string, { device, later }: Window): Promise<void> {
    this.windows.delete(node);
    if (!later) return;
    await this.tell(node, device, later.urgent).catch((error: unknown) => {
      this.logger.warn(`a device was not told: ${error instanceof Error ? error.message : 'unknown'}`);
    });
  }

  private async tell(node: string, device: PushNode, urgent: boolean): Promise<WakeUp> {
    this.windows.set(node, { device, openedAt: this.clock.milliseconds(), urgent, later: undefined });
    const outcomes = await this.sender.send(device.accountId, { kind: 'message', urgent }, [device.deviceId]);
    // None: it has been deregistered since.
    return this.count(outcomes[0]?.result ?? 'unregistered');
  }
}
