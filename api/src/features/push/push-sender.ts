import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { PushRepository } from './push.repository.js';
import type { PushNotification, PushOutcome } from './push-notification.js';

/** Hands notifications to the providers of the devices that are registered, to all devices in parallel. */
@Injectable()
export class PushSender {
  constructor(
    private readonly registrations: PushRepository,
    private readonly clock: Clock,
  ) {}

  /** To every device of an active account, or to those whose ids `to` names. Never throws for what a provider does. */
  async send(accountId: string, _notification: PushNotification, to?: readonly string[]): Promise<PushOutcome[]> {
    const devices = await this.registrations.devicesOf(accountId);
    const wanted = devices.filter((deviceId) => to === undefined || to.includes(deviceId));
    return wanted.map((deviceId) => this.notConfigured(deviceId));
  }

  private notConfigured(deviceId: string): PushOutcome {
    const detail = 'this server has no access to any push provider';
    return { deviceId, provider: 'none', result: 'not_configured', detail, at: this.clock.now() };
  }
}
