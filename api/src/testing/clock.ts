import { Clock } from '../common/clock.js';

/** A clock that stands until it is moved. */
export class FakeClock extends Clock {
  private time = Date.parse('2026-01-01T00:00:00Z');

  override now(): Date {
    return new Date(this.time);
  }

  override milliseconds(): number {
    return this.time;
  }

  advance(ms: number): void {
    this.time += ms;
  }
}
