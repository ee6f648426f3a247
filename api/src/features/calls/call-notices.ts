import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { RateLimiter } from '../../http/rate-limiter.js';
import type { PushNotification } from '../push/push-notification.js';
import { delayMs, secondsOf, timestampOf } from './call-event.js';
import { CallPushes } from './call-pushes.js';
import type { CallNotifyAnswer, CallNotifyRequest } from './calls.dto.js';
import { CallsRepository, type ClaimedCall } from './calls.repository.js';

const SECOND_MS = 1000;
/** Where nobody is waited for (RING_SECONDS=0), a device is still told that somebody has called. */
const TOLD_WITHIN_SECONDS = 30;

/** Has the devices of a callee pushed: once for a call, however often the call server tells of it. */
@Injectable()
export class CallNotices {
  private readonly ringSeconds: number;

  constructor(
    private readonly calls: CallsRepository,
    private readonly pushes: CallPushes,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    this.ringSeconds = config.calls.ringSeconds;
  }

  /** Answers when it is settled who is pushed, before anybody is. */
  async take(request: CallNotifyRequest): Promise<CallNotifyAnswer> {
    const now = this.clock.now();
    const age = delayMs(secondsOf(request.at), secondsOf(request.sent_at));
    const knownAt = new Date(now.getTime() - age);
    const call = await this.calls.claim(
      {
        caller: request.caller_username.toLowerCase(),
        callee: request.callee_username.toLowerCase(),
        callId: request.call_id,
        callType: request.call_type,
        startedAt: request.at === undefined ? knownAt.toISOString() : timestampOf(request.at),
        knownAt,
      },
      now,
    );
    if (call === undefined) return answer('no_registrations');
    if (call === 'repeated') return answer('repeated');
    return this.admit(call, request, knownAt);
  }

  /** Whoever calls, or is called, beyond the limit rings no sleeping phone: the call itself goes on. */
  private async admit(call: ClaimedCall, request: CallNotifyRequest, knownAt: Date): Promise<CallNotifyAnswer> {
    const { id, calleeAccountId, platforms } = call;
    const registrations = platforms.length;
    const exceeded = this.exceededLimit(call, request);
    if (exceeded) {
      await this.calls.noteLimit(id, calleeAccountId, exceeded, this.clock.now());
      return answer('limited', registrations);
    }
    if (calleeAccountId === null || registrations === 0) return answer('no_registrations');
    // Somebody has hung up in the meantime. Without waiting, every call is over by now.
    if (call.over && this.ringSeconds > 0) return answer('accepted', registrations);
    // Also where no provider is set up: the trace tells why a phone stays silent.
    this.pushes.begin(id, calleeAccountId, notificationOf(request, this.expiry(knownAt)));
    const sent = this.pushes.reached(platforms);
    return { status: sent === 0 ? 'not_configured' : 'accepted', sent, registrations };
  }

  private expiry(knownAt: Date): Date {
    return new Date(knownAt.getTime() + (this.ringSeconds || TOLD_WITHIN_SECONDS) * SECOND_MS);
  }

  /** Which limit the call is beyond. A name that nobody has is counted as one that somebody has. */
  private exceededLimit(call: ClaimedCall, request: CallNotifyRequest): string | undefined {
    const { caller_username, callee_username } = request;
    try {
      this.limiter.take('calls_from', { account: call.callerAccountId ?? `nobody ${caller_username.toLowerCase()}` });
      this.limiter.take('calls_to', { account: call.calleeAccountId ?? `nobody ${callee_username.toLowerCase()}` });
      return undefined;
    } catch (error) {
      if (error instanceof Problem) return `too many calls: ${error.message}`;
      throw error;
    }
  }
}

const answer = (status: CallNotifyAnswer['status'], registrations = 0): CallNotifyAnswer => ({
  status,
  sent: 0,
  registrations,
});

const notificationOf = (request: CallNotifyRequest, expiresAt: Date): PushNotification => ({
  kind: 'call',
  callId: request.call_id,
  callerUsername: request.caller_username.toLowerCase(),
  callerName: request.caller_display_name || null,
  callType: request.call_type,
  expiresAt,
});
