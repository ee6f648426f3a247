import { apiClient, uniqueName } from '../support/api.js';
import { Citizen } from './citizen.js';
import { Journal } from './journal.js';
import { Letters } from './letters.js';
import { Phone } from './phone.js';
import { Possible } from './possible.js';
import { type Credentials, Promises } from './promises.js';
import { Rest } from './rest.js';
import { World } from './world.js';

const CITIZENS = 8;
const PHONES = 2;

/** Everything that is asked for, at least once within seconds when all is well. */
export const KINDS = [
  'log in',
  'refresh a session',
  'change the password',
  'register',
  'delete an account',
  'create a group',
  'delete a group',
  'register a device',
  'list groups',
  'send a message',
  'register a phone',
] as const;

interface Live {
  live(stopped: () => boolean): Promise<void>;
}

/** Steady work for the whole platform, by REST, XMPP and SIP, and what was promised meanwhile. */
export class Load {
  readonly journal = new Journal();
  readonly rest = new Rest(this.journal);
  private stopped = true;
  private running: Promise<unknown> = Promise.resolve();
  private pair: Letters | undefined;
  private readonly citizens: Citizen[] = [];

  private constructor(
    /** What all names begin with. */
    readonly prefix: string,
    readonly world: World,
    private readonly lives: Live[],
    private readonly phones: Phone[],
  ) {}

  static async prepare(): Promise<Load> {
    const prefix = uniqueName('f');
    const world = new World();
    const load = new Load(prefix, world, [], []);
    const names = [
      ...numbered(`${prefix}_c`, CITIZENS),
      ...numbered(`${prefix}_p`, PHONES),
      `${prefix}_s`,
      `${prefix}_r`,
    ];
    const people = await Promise.all(names.map(register));
    for (const { username } of people) world.accounts.set(username, new Possible(['whole']));
    await load.employ(people.slice(0, CITIZENS), people.slice(CITIZENS, -2), people.slice(-2));
    return load;
  }

  /** What somebody is about to ask for: after a long outage it may be that nobody knows which password to change. */
  get expectedKinds(): readonly string[] {
    if (this.citizens.some(({ knowsPassword }) => knowsPassword)) return KINDS;
    return KINDS.filter((kind) => kind !== 'change the password');
  }

  get letters(): Letters {
    if (!this.pair) throw new Error('nobody writes letters yet');
    return this.pair;
  }

  start(): void {
    this.stopped = false;
    this.running = Promise.all(this.lives.map((one) => one.live(() => this.stopped)));
  }

  /** Resolves when every request has ended. */
  async pause(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  async end(): Promise<void> {
    await this.pause();
    for (const phone of this.phones) phone.unplug();
    this.rest.close();
  }

  private async employ(citizens: Credentials[], owners: Credentials[], pair: Credentials[]): Promise<void> {
    const { rest, world, journal } = this;
    const promises = new Promises(rest, world, journal);
    const jid = (index: number): string => citizens[index % citizens.length]!.jid;
    for (const [index, self] of citizens.entries()) {
      this.citizens.push(new Citizen(self, [jid(index + 1), jid(index + 2)], promises, 2 * index));
    }
    for (const owner of owners) this.phones.push(await Phone.plugIn(owner, world, journal));
    this.pair = new Letters(pair[0]!, pair[1]!, world, journal);
    this.lives.push(...this.citizens, ...this.phones, this.pair);
  }
}

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}${index}`);

async function register(username: string): Promise<Credentials> {
  const password = `Pw-${username}`;
  const { status, data } = await apiClient().post('/account/register', { username, password });
  if (status !== 201) throw new Error(`registering ${username} was answered ${status}: ${JSON.stringify(data)}`);
  return { username, password, jid: data.jid };
}
