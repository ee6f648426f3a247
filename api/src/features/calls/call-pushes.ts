import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { PushPlatform } from '../push/push.dto.js';
import type { CallEnd, PushNotification } from '../push/push-notification.js';
import { PushSender } from '../push/push-sender.js';
import type { CallOutcome } from './call-event.js';
import { CallsRepository } from './calls.repository.js';

/** What a device that did not take the call is told about its end. */
const REASONS: Readonly<Record<CallOutcome, CallEnd>> = {
  answered: 'answered_elsewhere',
  declined: 'declined_elsewhere',
  cancelled: 'cancelled',
  missed: 'missed',
  busy: 'missed',
  failed: 'missed',
  unknown: 'missed',
};

/** Has devices ring, and stop ringing, by push. Nobody waits for it. */
@Injectable()
export class CallPushes implements BeforeApplicationShutdown {
  private readonly logger = new Logger('calls');
  private readonly underWay = new Set<Promise<void>>();
  private readonly somebodyWaits: boolean;

  constructor(
    private readonly calls: CallsRepository,
    private readonly sender: PushSender,
    private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    this.somebodyWaits = config.calls.ringSeconds > 0;
  }

  /** Of how many devices, with these platforms, a provider will be asked. */
  reached(platforms: readonly PushPlatform[]): number {
    return platforms.filter((platform) => this.sender.reaches(platform)).length;
  }

  /** Pushes a call to the devices of the callee; if it is over when the providers have answered, its end at once. */
  begin(call: string, calleeAccountId: string, notification: PushNotification): void {
    this.inBackground(async () => {
      const outcomes = await this.sender.send(calleeAccountId, notification);
      const over = await this.calls.notePushes('push', call, calleeAccountId, outcomes);
      if (over) await this.tellEnd(call);
    });
  }

  /** Tells those devices of the end that can't learn of it over SIP: of each call once, when it is known who was pushed. */
  end(call: string): void {
    this.inBackground(() => this.tellEnd(call));
  }

  /** Nothing is left half done: a process that was told to stop waits for its pushes. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async tellEnd(call: string): Promise<void> {
    // Without waiting a call is over before a device is pushed, which is to show that there was one.
    if (!this.somebodyWaits) return;
    const ended = await this.calls.claimEnd(call, this.clock.now());
    if (!ended) return;
    const devices = await this.calls.devicesToTell(call);
    if (devices.length === 0) return;
    const { callId, calleeAccountId, outcome } = ended;
    const notification = { kind: 'call_ended', callId, reason: REASONS[outcome] } as const;
    const outcomes = await this.sender.send(calleeAccountId, notification, devices);
    await this.calls.notePushes('end_push', call, calleeAccountId, outcomes);
  }

  private inBackground(work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => {
        this.logger.error(`a push of a call failed: ${error instanceof Error ? error.message : 'unknown'}`);
      })
      .finally(() => this.underWay.delete(done));
    this.underWay.add(done);
  }
}
