import { Devices } from './devices.js';
import { foundGroup } from './group-work.js';
import { Possible } from './possible.js';
import { type Credentials, type Promises, setTo } from './promises.js';
import type { Existence, Group } from './world.js';

const MOST_GUESTS = 2;
/** One in so many leaves a group behind, which goes to the host. */
const FOUNDERS = 4;

interface Guest extends Credentials {
  token: string;
  group?: Possible<Group> | undefined;
}

/** Accounts that come and go, one in one out. */
export class Guests {
  private readonly present: Guest[] = [];
  private readonly devices: Devices;
  private registered = 0;

  constructor(
    private readonly host: Credentials,
    private readonly promises: Promises,
  ) {
    this.devices = new Devices(promises);
  }

  async register(): Promise<void> {
    if (this.present.length >= MOST_GUESTS) return;
    const credentials = { username: this.promises.newName(this.host, 'guest'), password: 'correct horse battery' };
    const existence = new Possible<Existence>(['none']);
    this.promises.world.accounts.set(credentials.username, existence);
    const outcome = await this.promises.rest.ask('register', 'post', '/account/register', '', credentials);
    this.promises.conclude(`registering ${credentials.username}`, outcome, existence, {
      possible: (state) => state === 'none',
      result: () => 'whole',
      refusal: 'username_taken',
    });
    if ('done' in outcome) await this.welcome({ ...credentials, ...outcome.done.data });
  }

  async deleteOldest(): Promise<void> {
    const guest = this.present.shift();
    if (!guest) return;
    const { username, jid, password, token, group } = guest;
    const outcome = await this.promises.rest.ask('delete an account', 'delete', '/account', token, { jid, password });
    const what = `deleting ${username}`;
    this.promises.conclude(what, outcome, this.promises.world.accounts.get(username)!, {
      possible: (state) => state === 'whole',
      result: () => 'none',
      refusal: 'unauthenticated',
    });
    if ('refused' in outcome) return;
    this.promises.conclude(what, outcome, this.devices.of(guest), setTo(null));
    if (group) this.promises.conclude(what, outcome, group, setTo(this.inherited(group)));
  }

  private async welcome(guest: Guest & { session_id: string }): Promise<void> {
    this.present.push(guest);
    this.promises.world.sessions.set(guest.session_id, guest.username);
    await this.devices.register(guest, guest.token);
    this.registered += 1;
    if (this.registered % FOUNDERS !== 0) return;
    const id = await foundGroup(this.promises, guest, guest.token, this.host.jid);
    guest.group = id === undefined ? undefined : this.promises.world.groups.get(id);
  }

  /** The group of a guest who is gone: the host, its other member, owns it. */
  private inherited(group: Possible<Group>): Group {
    const before = group.certain;
    return before ? { ...before, roles: { [this.host.jid]: 'owner' } } : null;
  }
}
