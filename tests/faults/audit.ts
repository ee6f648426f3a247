import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ejabberd } from '../support/ejabberd.js';
import { platform } from '../support/platform.js';
import { type GroupStores, NO_GROUP, Stores, wholeGroup } from '../support/stores.js';
import { until } from '../support/wait.js';
import type { Census } from './census.js';
import type { Letters } from './letters.js';
import type { Possible } from './possible.js';
import type { Group, World } from './world.js';

/** The longest lease of something that a crash cut off, and then some. */
const SETTLED_WITHIN_MS = 90_000;

export interface Findings {
  /** Acknowledged writes that are not there. */
  lost: string[];
  /** What is there twice, half, or without what it belongs to. */
  wrong: string[];
}

/** Compares what clients were told with what the stores hold. Nobody may be at work meanwhile. */
export class Audit {
  private readonly stores = new Stores();
  private findings: Findings = { lost: [], wrong: [] };

  constructor(
    private readonly world: World,
    private readonly census: Census,
  ) {}

  async close(): Promise<void> {
    await this.stores.close();
  }

  /** Waits until nothing is under way any more, then looks. */
  async look(letters: Letters): Promise<Findings> {
    this.findings = { lost: [], wrong: [] };
    await until('nothing is under way', () => this.requireFinished(), { timeoutMs: SETTLED_WITHIN_MS });
    await this.lookAtAccounts();
    await this.lookAtGroups();
    await this.lookAtDevices();
    await this.lookAtPasswords();
    await this.lookAtSessions();
    await this.lookAtMessages(letters);
    await this.lookAtContacts();
    return this.findings;
  }

  private async requireFinished(): Promise<true> {
    const unfinished = await this.census.unfinished();
    if (unfinished.length > 0) throw new Error(unfinished.join(', '));
    return true;
  }

  private async lookAtAccounts(): Promise<void> {
    const { accounts, subscribers, chatUsers } = await this.census.usernames();
    for (const [store, names] of Object.entries({ subscribers, chatUsers })) {
      if (!isDeepStrictEqual(names, accounts))
        this.wrong(`accounts and ${store} differ: ${difference(accounts, names)}`);
    }
    if (new Set(accounts).size !== accounts.length) this.wrong(`an account is there twice: ${accounts}`);
    const there = new Set(accounts);
    for (const username of there) if (!this.world.accounts.has(username)) this.wrong(`nobody registered ${username}`);
    for (const [username, existence] of this.world.accounts) {
      this.compare(`account ${username}`, existence, there.has(username) ? 'whole' : 'none');
    }
  }

  private async lookAtGroups(): Promise<void> {
    const { tables, rooms, leaving } = await this.census.groups();
    for (const id of rooms) if (!tables.has(id) && !leaving.has(id)) this.wrong(`room ${id} is of no group`);
    for (const [id, name] of tables) {
      if (!this.world.groups.has(id) && !this.adopt(id, name)) this.wrong(`nobody made the group ${id} (${name})`);
    }
    this.world.unnamedGroups.clear();
    for (const [id, group] of this.world.groups) await this.lookAtGroup(id, group);
  }

  /** A group whose creation was not acknowledged is known by its name. */
  private adopt(id: string, name: string): boolean {
    const group = this.world.unnamedGroups.get(name);
    if (group) this.world.groups.set(id, group);
    return this.world.unnamedGroups.delete(name);
  }

  private async lookAtGroup(id: string, group: Possible<Group>): Promise<void> {
    // What the room would be after a start of the chat server may lag behind: it is mended then.
    const { tables, room } = await this.stores.group(id);
    const found = { tables, room };
    const fitting = group.all.find((state) => isDeepStrictEqual(found, storesOf(state)));
    if (fitting === undefined)
      this.lost(`group ${id} is ${JSON.stringify(found)} instead of ${JSON.stringify(group.all)}`);
    else group.found(fitting);
    if (fitting === null) this.world.groups.delete(id);
  }

  private async lookAtDevices(): Promise<void> {
    const there = await this.census.pushTokens();
    for (const device of there.keys()) {
      if (!this.world.pushTokens.has(device)) this.wrong(`nobody registered the device ${device}`);
    }
    for (const [device, token] of this.world.pushTokens) {
      this.compare(`device ${device}`, token, there.get(device) ?? null);
    }
  }

  /** The chat server and SIP know the same one. */
  private async lookAtPasswords(): Promise<void> {
    const digests = await this.census.digests();
    for (const [username, password] of this.world.passwords) {
      const good: string[] = [];
      for (const candidate of password.all) {
        const { data } = await ejabberd('check_password', {
          user: username,
          host: platform.domain,
          password: candidate,
        });
        if (data === 0 && digests.get(username) === digestOf(username, candidate)) good.push(candidate);
      }
      if (good.length === 1) password.found(good[0]!);
      else this.lost(`none of the ${password.all.length} passwords of ${username} is good everywhere`);
    }
  }

  private async lookAtSessions(): Promise<void> {
    const there = await this.census.sessions();
    for (const [id, username] of this.world.sessions) {
      if (this.world.accounts.get(username)?.certain !== 'whole') this.world.sessions.delete(id);
      else if (!there.has(id)) this.lost(`session ${id} of ${username}`);
    }
  }

  /** Somebody who was there got it, or it is in an archive: once in each (docs/decisions/0026-acknowledged-messages.md). */
  private async lookAtMessages({ sender, recipient }: Letters): Promise<void> {
    const archives = await Promise.all([sender, recipient].map(({ username }) => this.census.archive(username)));
    for (const id of this.world.acknowledged) {
      const there = this.world.received.has(id) || archives.some((archive) => archive.has(id));
      if (!there) this.lost(`message ${id}`);
    }
    for (const archive of archives) {
      for (const [id, times] of archive) if (times > 1) this.wrong(`message ${id} is archived ${times} times`);
    }
    this.world.acknowledged.clear();
  }

  private async lookAtContacts(): Promise<void> {
    const there = await this.census.contacts();
    for (const [username, contact] of this.world.contacts) {
      const uri = contact.slice(1, -1);
      const times = there.filter((row) => row === `${username} ${uri}`).length;
      if (times === 0) this.lost(`contact ${uri} of ${username}`);
      if (times > 1) this.wrong(`contact ${uri} of ${username} is there ${times} times`);
    }
  }

  private compare<T>(what: string, possible: Possible<T>, found: T): void {
    if (!possible.all.includes(found)) this.lost(`${what} is ${found} instead of ${possible.all.join(' or ')}`);
    possible.found(found);
  }

  private lost(what: string): void {
    this.findings.lost.push(what);
  }

  private wrong(what: string): void {
    this.findings.wrong.push(what);
  }
}

function storesOf(group: Group): Omit<GroupStores, 'kept'> {
  const { tables, room } = group ? wholeGroup(group.name, group.roles) : NO_GROUP;
  return { tables, room };
}

/** RFC 2617, 3.2.2.2. */
const digestOf = (username: string, password: string): string =>
  createHash('md5').update(`${username}:${platform.domain}:${password}`).digest('hex');

function difference(one: string[], other: string[]): string {
  const only = (names: string[], others: string[]) => names.filter((name) => !others.includes(name)).slice(0, 5);
  return `${only(one, other).join(' ') || 'none'} here, ${only(other, one).join(' ') || 'none'} there`;
}
