/** The time, as a dependency: services ask it instead of the system, so that tests can move it. */
export class Clock {
  now(): Date {
    return new Date();
  }

  /** Milliseconds since the epoch. */
  milliseconds(): number {
    return Date.now();
  }

  /** Whole seconds since the epoch, the unit of JWT and TURN expiry. */
  seconds(): number {
    return Math.floor(this.milliseconds() / 1000);
  }
}
