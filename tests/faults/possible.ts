import { isDeepStrictEqual } from 'node:util';

/**
 * What something may be by now, as far as a client can know: a change that was acknowledged is made, one whose answer
 * was lost may have been made or not.
 */
export class Possible<T> {
  constructor(private states: readonly T[]) {}

  /** A change was acknowledged. */
  made(change: (state: T) => T): void {
    this.states = distinct(this.states.map(change));
  }

  /** A change was asked for, and the answer did not say how that ended. */
  perhapsMade(change: (state: T) => T): void {
    this.states = distinct([...this.states, ...this.states.map(change)]);
  }

  /** An answer rules states out. False when none is left: then the answer contradicts what was acknowledged. */
  narrow(fits: (state: T) => boolean): boolean {
    const left = this.states.filter(fits);
    if (left.length === 0) return false;
    this.states = left;
    return true;
  }

  /** It was looked at, and is this. */
  found(state: T): void {
    this.states = [state];
  }

  get all(): readonly T[] {
    return this.states;
  }

  /** The state, when there is no doubt. */
  get certain(): T | undefined {
    return this.states.length === 1 ? this.states[0] : undefined;
  }
}

const distinct = <T>(states: T[]): T[] =>
  states.filter((state, index) => states.findIndex((other) => isDeepStrictEqual(other, state)) === index);
