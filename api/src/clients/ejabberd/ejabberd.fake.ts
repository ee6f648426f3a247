import { Problem } from '../../common/problem.js';
import { type Affiliation, Ejabberd, type RegisterResult, type Room } from './ejabberd.client.js';

/** How a call to the fake goes wrong: not applied, or applied and its answer lost. */
export type Fault = 'refuse' | 'apply_then_cut';

/**
 * A chat server in memory that keeps what it is told. `failNext` makes one coming call fail, before or after it took
 * effect, as a network does; `calls` records what was asked, without arguments.
 */
export class FakeEjabberd extends Ejabberd {
  readonly accounts = new Map<string, string>();
  readonly rooms = new Map<string, Room>();
  /** Whose streams were ended, each time. */
  readonly ended: string[] = [];
  private readonly refused = new Set<string>();
  readonly calls: string[] = [];
  /** Names of which something came too late for the removal of their accounts. */
  readonly leftovers = new Set<string>();
  private readonly faults: { verb: string; fault: Fault }[] = [];

  /** The next call of the verb fails in this way. */
  failNext(verb: keyof Ejabberd, fault: Fault): void {
    this.faults.push({ verb, fault });
  }

  /** None of the failures that were planned and are left. */
  heal(): void {
    this.faults.length = 0;
  }

  ping(): Promise<void> {
    return this.perform('ping', () => {});
  }

  version(): Promise<string | undefined> {
    return this.perform('version', () => '26.07');
  }

  reloadCertificate(): Promise<void> {
    return this.perform('reloadCertificate', () => {});
  }

  accountExists(username: string): Promise<boolean> {
    return this.perform('accountExists', () => this.accounts.has(username));
  }

  register(username: string, password: string): Promise<RegisterResult> {
    return this.perform('register', () => {
      if (this.accounts.has(username)) return 'exists';
      this.accounts.set(username, password);
      return 'registered';
    });
  }

  checkPassword(username: string, password: string): Promise<boolean> {
    return this.perform('checkPassword', () => this.accounts.get(username) === password);
  }

  unregister(username: string): Promise<void> {
    return this.perform('unregister', () => {
      this.accounts.delete(username);
      this.refused.delete(username);
      this.leftovers.delete(username);
    });
  }

  endStreams(username: string): Promise<void> {
    return this.perform('endStreams', () => void this.ended.push(username));
  }

  changePassword(username: string, password: string): Promise<void> {
    return this.perform('changePassword', () => void this.accounts.set(username, password));
  }

  suspend(username: string): Promise<void> {
    return this.perform('suspend', () => {
      this.refused.add(username);
      this.ended.push(username);
    });
  }

  resume(username: string): Promise<void> {
    return this.perform('resume', () => void this.refused.delete(username));
  }

  suspended(): Promise<Set<string>> {
    return this.perform('suspended', () => new Set(this.refused));
  }

  readRoom(name: string): Promise<Room | null> {
    return this.perform('readRoom', () => {
      const room = this.rooms.get(name);
      if (!room) return null;
      return {
        title: room.title,
        altered: room.altered,
        affiliations: new Map(room.affiliations),
        subscribers: new Set(room.subscribers),
      };
    });
  }

  createRoom(name: string, title: string): Promise<void> {
    return this.perform('createRoom', () => {
      if (!this.rooms.has(name))
        this.rooms.set(name, { title, altered: false, affiliations: new Map(), subscribers: new Set() });
    });
  }

  resetRoom(name: string): Promise<void> {
    return this.perform('resetRoom', () => {
      this.room(name).altered = false;
    });
  }

  renameRoom(name: string, title: string): Promise<void> {
    return this.perform('renameRoom', () => {
      this.room(name).title = title;
    });
  }

  destroyRoom(name: string): Promise<void> {
    return this.perform('destroyRoom', () => void this.rooms.delete(name));
  }

  setAffiliation(name: string, jid: string, affiliation: Affiliation): Promise<void> {
    return this.perform('setAffiliation', () => {
      const { affiliations } = this.room(name);
      if (affiliation === 'none') affiliations.delete(jid);
      else affiliations.set(jid, affiliation);
    });
  }

  subscribe(name: string, jid: string): Promise<void> {
    return this.perform('subscribe', () => void this.room(name).subscribers.add(jid));
  }

  unsubscribe(name: string, jid: string): Promise<void> {
    return this.perform('unsubscribe', () => void this.room(name).subscribers.delete(jid));
  }

  private room(name: string): Room {
    const room = this.rooms.get(name);
    if (!room) throw new Problem('chat_server_unavailable', 'the room does not exist');
    return room;
  }

  private async perform<T>(verb: keyof Ejabberd, effect: () => T): Promise<T> {
    this.calls.push(verb);
    const index = this.faults.findIndex((fault) => fault.verb === verb);
    const [planned] = index < 0 ? [] : this.faults.splice(index, 1);
    const lost = new Problem('chat_server_unavailable', `the fake lost ${verb}`);
    if (planned?.fault === 'refuse') throw lost;
    const result = effect();
    if (planned?.fault === 'apply_then_cut') throw lost;
    return result;
  }
}
