import type { Journal } from './journal.js';
import type { Possible } from './possible.js';
import type { Outcome, Rest } from './rest.js';
import type { World } from './world.js';

export interface Credentials {
  username: string;
  password: string;
  jid: string;
}

/** A change of something, as a client knows it. */
export interface Change<T> {
  /** Whether it can be made to that state. */
  possible(state: T): boolean;
  result(state: T): T;
  /** The problem that says that it can't. */
  refusal: string;
}

/** A change that is possible whatever there is. */
export const setTo = <T>(state: T): Change<T> => ({ possible: () => true, result: () => state, refusal: '' });

/** What everybody needs who asks for something and remembers what was promised. */
export class Promises {
  private serial = 0;

  constructor(
    readonly rest: Rest,
    readonly world: World,
    readonly journal: Journal,
  ) {}

  /** Notes what an answer says about something. */
  conclude<T>(what: string, outcome: Outcome, state: Possible<T>, { possible, result, refusal }: Change<T>): void {
    if ('unknown' in outcome) state.perhapsMade((before) => (possible(before) ? result(before) : before));
    else if ('done' in outcome) {
      if (!state.narrow(possible)) this.journal.complain(`${what} succeeded, which it can't have`);
      state.made(result);
    } else if (outcome.refused !== refusal || !state.narrow((before) => !possible(before))) {
      this.journal.complain(`${what} was refused: ${outcome.refused}`);
    }
  }

  /** For what can't be refused. */
  expectNoRefusal(what: string, outcome: Outcome): void {
    if ('refused' in outcome) this.journal.complain(`${what} was refused: ${outcome.refused}`);
  }

  /** A name that nothing had before. */
  newName(of: Credentials, what: string): string {
    this.serial += 1;
    return `${of.username}_${what}${this.serial}`;
  }
}
