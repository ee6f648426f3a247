import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  type Delivery,
  failed,
  type PushClient,
  type PushMessage,
  type PushProvider,
  type PushTarget,
} from '../../clients/push/push-client.js';
import { PushClients } from '../../clients/push/push-clients.js';
import { backoffMs } from '../../common/backoff.js';
import { Gate } from '../../common/gate.js';
import { type Counter, Metrics } from '../../common/metrics.js';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { CONFIG, type Config } from '../../config/config.js';

/**
 * So many pushes are under way at a provider at a time: a dead one holds up no other. APNs takes twice as many on a connection,
 * the others as many as their clients open connections.
 */
const AT_A_TIME = { apns: 500, fcm: 64, webpush: 64 };
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 4000;
/** What goes wrong with every push is logged so often. */
const LOG_EVERY_MS = 60_000;

/** How it ended, once it is not tried any more. */
export type Ending = Exclude<Delivery, { result: 'retry' }> | { result: 'not_configured'; detail: string };

export interface Errand {
  message: PushMessage;
  /** How long it may take, in milliseconds. */
  withinMs: number;
  /** Ends it when what it tells is no longer so. */
  stop: AbortSignal;
}

/** Has a push delivered: again and again while the provider says that it may yet take it and there is time. */
@Injectable()
export class PushDelivery {
  private readonly logger = new Logger('push');
  private readonly gates = {
    apns: new Gate(AT_A_TIME.apns),
    fcm: new Gate(AT_A_TIME.fcm),
    webpush: new Gate(AT_A_TIME.webpush),
  };
  private readonly endings: Counter<'provider' | 'outcome'>;
  private readonly logged = new Map<string, number>();
  private readonly attemptMs: number;

  constructor(
    private readonly clients: PushClients,
    private readonly times: NeighbourTimes,
    metrics: Metrics,
    @Inject(CONFIG) { neighbours }: Config,
  ) {
    this.endings = metrics.counter('pushes_total', 'Pushes by how they ended', ['provider', 'outcome']);
    this.attemptMs = neighbours.timeoutMs;
  }

  /** Whether the operator has set what the provider asks for. */
  isConfigured(provider: PushProvider): boolean {
    return this.clients.of(provider).missing === null;
  }

  async deliver(provider: PushProvider, target: PushTarget, errand: Errand): Promise<Ending> {
    const client = this.clients.of(provider);
    const ending: Ending =
      client.missing === null
        ? await this.untilItEnds(client, target, errand)
        : { result: 'not_configured', detail: client.missing };
    this.endings.inc({ provider, outcome: ending.result });
    if (ending.result === 'rejected' || ending.result === 'failed') this.log(provider, ending.detail);
    return ending;
  }

  private async untilItEnds(
    client: PushClient,
    target: PushTarget,
    { message, withinMs, stop }: Errand,
  ): Promise<Ending> {
    // Not by the machine's time, which may be set.
    const endsAt = performance.now() + withinMs;
    let last = 'there was no time left to try';
    for (let attempt = 0; ; attempt += 1) {
      const delivery = await this.gates[client.provider].pass<Delivery>(async () => {
        // A timer takes whole milliseconds only.
        const left = Math.min(Math.floor(endsAt - performance.now()), this.attemptMs);
        return left > 0 && !stop.aborted ? this.attempt(client, target, message, left) : failed(last);
      });
      if (delivery.result !== 'retry') return delivery;
      last = delivery.detail;
      const pause = delivery.afterMs ?? backoffMs(attempt, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
      if (performance.now() + pause >= endsAt) return failed(last);
      await wait(pause, undefined, { ref: false, signal: stop }).catch(() => {});
    }
  }

  private async attempt(
    client: PushClient,
    target: PushTarget,
    message: PushMessage,
    withinMs: number,
  ): Promise<Delivery> {
    const { provider } = client;
    const delivery = await this.times.measure(provider, 'push', () => client.deliver(target, message, withinMs));
    if (delivery.result === 'retry' || delivery.result === 'failed') this.times.failed(provider, 'push');
    return delivery;
  }

  private log(provider: PushProvider, detail: string): void {
    const now = performance.now();
    const what = `${provider}: ${detail}`;
    if (now < (this.logged.get(what) ?? 0)) return;
    this.logged.set(what, now + LOG_EVERY_MS);
    this.logger.warn(`a push was not sent: ${what}`);
  }
}
