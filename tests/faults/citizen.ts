import { setTimeout as delay } from 'node:timers/promises';
import { Devices } from './devices.js';
import { GroupWork } from './group-work.js';
import { Guests } from './guests.js';
import { Identity } from './identity.js';
import type { Credentials, Promises } from './promises.js';

/** Between two requests of one person, on average. */
const PAUSE_MS = 80;

/** Somebody who uses the platform all the time, one request after the other, and remembers what was promised. */
export class Citizen {
  private readonly routine: (() => Promise<void>)[];
  private readonly identity: Identity;

  /** @param begin where in the routine to begin, so that not all do the same at once */
  constructor(
    self: Credentials,
    friends: readonly [string, string],
    private readonly promises: Promises,
    private next: number,
  ) {
    const identity = new Identity(self, promises);
    this.identity = identity;
    const groups = new GroupWork(identity, friends, promises);
    const guests = new Guests(self, promises);
    const devices = new Devices(promises);
    const work = [
      () => identity.refresh(),
      () => groups.create(),
      () => groups.admit(),
      () => guests.register(),
      () => devices.register(self, identity.token),
      () => groups.list(),
      () => groups.rename(),
      () => groups.promote(),
      () => this.fetchRelay(identity),
      () => devices.register(self, identity.token),
      () => groups.dismiss(),
      () => identity.changePassword(),
      () => devices.forget(self, identity.token),
      () => groups.list(),
      () => guests.deleteOldest(),
      () => groups.delete(),
      () => identity.logIn(),
    ];
    this.routine = work.map((step) => () => (identity.token ? step() : identity.logIn()));
  }

  async live(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await this.routine[this.next % this.routine.length]!();
      this.next += 1;
      await delay(PAUSE_MS * (0.5 + Math.random()));
    }
  }

  /** Whether he knows which password to name, when he changes it. */
  get knowsPassword(): boolean {
    return !this.identity.changing;
  }

  private async fetchRelay({ self, token }: Identity): Promise<void> {
    const outcome = await this.promises.rest.ask('fetch relay credentials', 'get', '/turn/credentials', token);
    this.promises.expectNoRefusal(`the relay of ${self.username}`, outcome);
  }
}
