import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Caller } from '../../http/access.js';
import type { TestPushAnswer, TestPushRequest } from './push.dto.js';
import type { PushNotification } from './push-notification.js';
import { PushSender } from './push-sender.js';

/** So long somebody waits for what a provider says, in seconds. */
const PATIENCE_SECONDS = 10;

/** Lets the owner of a device see whether pushes arrive, and why not. */
@Injectable()
export class PushTest {
  constructor(
    private readonly sender: PushSender,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws Problem not_found for a device that is not registered, or not the caller's */
  async run({ accountId, username }: Caller, deviceId: string, kind: TestPushRequest['kind']): Promise<TestPushAnswer> {
    const startedAt = performance.now();
    const notification = kind === 'call' ? this.callFrom(username) : ({ kind: 'test' } as const);
    const [outcome] = await this.sender.send(accountId, notification, [deviceId]);
    if (!outcome) throw new Problem('not_found', 'the device is not registered');
    const { result, provider, detail } = outcome;
    return { result, provider, detail, took_ms: Math.round(performance.now() - startedAt) };
  }

  /** A call of one's own that nobody makes. */
  private callFrom(username: string): PushNotification {
    const seconds = Math.min(this.config.calls.ringSeconds || PATIENCE_SECONDS, PATIENCE_SECONDS);
    const expiresAt = new Date(this.clock.milliseconds() + seconds * 1000);
    const callId = `test-${newId()}`;
    return { kind: 'call', callId, callerUsername: username, callerName: 'Test', callType: 'audio', expiresAt };
  }
}
