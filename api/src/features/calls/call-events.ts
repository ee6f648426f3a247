import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { type Counter, type Histogram, Metrics } from '../../common/metrics.js';
import { delayMs, readEvent, type SipEvent, secondsOf } from './call-event.js';
import { type CallChange, CallEventsRepository, type Recorded } from './call-events.repository.js';
import { CallPushes } from './call-pushes.js';
import type { CallEventsAnswer, CallEventsRequest } from './calls.dto.js';

/** What becomes of calls, as the call server tells it. */
@Injectable()
export class CallEvents {
  private readonly held: Counter;
  private readonly outcomes: Counter<'outcome'>;
  private readonly wakeUps: Histogram;

  constructor(
    private readonly calls: CallEventsRepository,
    private readonly pushes: CallPushes,
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.held = metrics.counter('calls_held_total', 'Calls that waited for a device to wake');
    this.outcomes = metrics.counter('calls_total', 'Calls by how they ended, answered ones when they were', [
      'outcome',
    ]);
    this.wakeUps = metrics.histogram(
      'call_wake_seconds',
      'From a call that is held to the first device that registers',
    );
  }

  /** Notes what is new, and has devices told of the calls that are over. */
  async take({ events, sent_at }: CallEventsRequest): Promise<CallEventsAnswer> {
    const sentAt = secondsOf(sent_at);
    const now = this.clock.milliseconds();
    const received = (event: SipEvent) => ({ ...event, receivedAt: new Date(now - delayMs(event.seconds, sentAt)) });
    const read = events.map(readEvent).filter((event) => event !== undefined);
    const recorded = await this.calls.record(read.map(received));
    this.count(recorded);
    for (const { id } of recorded.changes.filter(isOver)) this.pushes.end(id);
    return { status: 'accepted', recorded: recorded.events.length, ignored: events.length - recorded.found };
  }

  private count({ events, changes }: Recorded): void {
    const first = (kind: string) => events.filter((event) => event.kind === kind && event.first);
    this.held.inc(first('held').length);
    for (const { secondsAfterStart } of first('registered')) this.wakeUps.observe(secondsAfterStart);
    for (const { before, outcome } of changes) if (outcome && outcome !== before) this.outcomes.inc({ outcome });
  }
}

const isOver = ({ before, outcome }: CallChange): boolean => outcome !== null && outcome !== before;
