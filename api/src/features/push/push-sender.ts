import { Inject, Injectable, Logger } from '@nestjs/common';
import type { PushProvider } from '../../clients/push/push-client.js';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { PushPlatform } from './push.dto.js';
import { type PushDevice, PushRepository } from './push.repository.js';
import { type Ending, type Errand, PushDelivery } from './push-delivery.js';
import { messageOf } from './push-message.js';
import type { PushNotification, PushOutcome } from './push-notification.js';

/** So long providers have for what is no call, and for what somebody waits for, in milliseconds. */
const PATIENCE_MS = 30_000;
const TEST_PATIENCE_MS = 10_000;

const PROVIDERS: Record<PushPlatform, PushProvider> = { ios: 'apns', android: 'fcm', web: 'webpush' };

type Unregistered = Extract<Ending, { result: 'unregistered' }>;

/** Hands notifications to the providers of the devices that are registered, to all devices in parallel. */
@Injectable()
export class PushSender {
  private readonly logger = new Logger('push');
  /** Calls that devices are being told of: none shall ring for one that has ended meanwhile. */
  private readonly ringing = new Map<string, Set<AbortController>>();

  constructor(
    private readonly registrations: PushRepository,
    private readonly delivery: PushDelivery,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** To every device of an active account, or to those whose ids `to` names. Never throws for what a provider does. */
  async send(accountId: string, notification: PushNotification, to?: readonly string[]): Promise<PushOutcome[]> {
    const { showCaller } = this.config.push;
    if (notification.kind === 'call_ended') this.stopRinging(accountId, notification.callId);
    return this.whileItRings(accountId, notification, async (stop) => {
      const devices = await this.registrations.targetsOf(accountId, to);
      const now = this.clock.now();
      const errand = {
        message: messageOf(notification, showCaller, now),
        withinMs: patienceFor(notification, now),
        stop,
      };
      return Promise.all(devices.map((device) => this.tell(accountId, device, errand)));
    });
  }

  /** Whether what is sent to such a device is handed to a provider. */
  reaches(platform: PushPlatform): boolean {
    return this.delivery.isConfigured(PROVIDERS[platform]);
  }

  private async tell(accountId: string, device: PushDevice, errand: Errand): Promise<PushOutcome> {
    const askedAt = this.clock.now();
    const provider = PROVIDERS[device.platform];
    const ending = await this.delivery.deliver(provider, device, errand);
    if (ending.result === 'unregistered') await this.forget(accountId, device, ending, askedAt);
    const { result, detail } = ending;
    return { deviceId: device.deviceId, provider, result, detail, at: this.clock.now() };
  }

  /** What a provider says of a token was true when it was asked: whoever has registered since is not concerned. */
  private async forget(
    accountId: string,
    device: PushDevice,
    { which, at }: Unregistered,
    askedAt: Date,
  ): Promise<void> {
    const forget = which === 'token' ? 'forgetToken' : 'forgetAlertToken';
    await this.registrations[forget](accountId, device, at ?? askedAt).catch((error: unknown) => {
      // The next push to it will find out again.
      this.logger.warn(`a dead token was not forgotten: ${error instanceof Error ? error.name : 'unknown'}`);
    });
  }

  private async whileItRings<T>(
    accountId: string,
    notification: PushNotification,
    work: (stop: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    if (notification.kind !== 'call') return work(controller.signal);
    const call = `${accountId} ${notification.callId}`;
    const all = this.ringing.get(call) ?? new Set();
    this.ringing.set(call, all.add(controller));
    try {
      return await work(controller.signal);
    } finally {
      all.delete(controller);
      if (all.size === 0) this.ringing.delete(call);
    }
  }

  private stopRinging(accountId: string, callId: string): void {
    for (const controller of this.ringing.get(`${accountId} ${callId}`) ?? []) controller.abort();
  }
}

/** A call may be announced for as long as it rings. */
function patienceFor(notification: PushNotification, now: Date): number {
  if (notification.kind === 'call') return notification.expiresAt.getTime() - now.getTime();
  return notification.kind === 'test' ? TEST_PATIENCE_MS : PATIENCE_MS;
}
