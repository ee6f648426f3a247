import { createHash } from 'node:crypto';
import postgres from 'postgres';
import { affiliationsOf, ejabberd, subscribersOf } from './ejabberd.js';
import { platform, secret } from './platform.js';

/** One look into every store that holds accounts or groups, past all servers that may cache or guard them. */
export class Stores {
  private readonly veil = connect('veil', 'veil_migrate', secret('db_migrate_password'));
  private readonly chat = connect('ejabberd', 'ejabberd', secret('db_ejabberd_password'));

  async close(): Promise<void> {
    await Promise.all([this.veil.end(), this.chat.end()]);
  }

  /** What the stores hold of a username. */
  async account(username: string): Promise<AccountStores> {
    const [accounts, subscribers, users, exists] = await Promise.all([
      this.veil`SELECT status FROM accounts WHERE username = ${username}`,
      this.veil`SELECT FROM kamailio.subscriber WHERE username = ${username}`,
      this.chat`SELECT FROM users WHERE username = ${username}`,
      ejabberd('check_account', { user: username, host: platform.domain }),
    ]);
    return {
      accounts: accounts.map(({ status }) => status),
      subscribers: subscribers.length,
      chatUsers: users.length,
      chatServerKnows: exists.data === 0,
    };
  }

  /** Which of both passwords each store takes, and whether a change is under way. */
  async password(account: { username: string; password: string }, wanted: string): Promise<PasswordStores> {
    const { username } = account;
    const { domain: host } = platform;
    const ha1 = (password: string) => createHash('md5').update(`${username}:${host}:${password}`).digest('hex');
    const [[subscriber], changes, takesNew, takesOld] = await Promise.all([
      this.veil`SELECT ha1 FROM kamailio.subscriber WHERE username = ${username}`,
      this.veil`SELECT FROM password_changes c JOIN accounts a ON a.id = c.account_id WHERE a.username = ${username}`,
      ejabberd('check_password', { user: username, host, password: wanted }),
      ejabberd('check_password', { user: username, host, password: account.password }),
    ]);
    const which = (isNew: boolean, isOld: boolean) => (isNew ? 'new' : isOld ? 'old' : 'neither');
    return {
      chat: which(takesNew.data === 0, takesOld.data === 0),
      calls: which(subscriber?.ha1 === ha1(wanted), subscriber?.ha1 === ha1(account.password)),
      changing: changes.length > 0,
    };
  }

  /** Every username that begins like this, in whichever store it is. */
  async usernames(prefix: string): Promise<string[]> {
    const rows = await Promise.all([
      this.veil`SELECT username FROM accounts WHERE starts_with(username, ${prefix})`,
      this.veil`SELECT username FROM kamailio.subscriber WHERE starts_with(username, ${prefix})`,
      this.veil`SELECT username FROM kamailio.location WHERE starts_with(username, ${prefix})`,
      this.chat`SELECT username FROM users WHERE starts_with(username, ${prefix})`,
      this.chat`SELECT username FROM archive WHERE starts_with(username, ${prefix})`,
    ]);
    return [...new Set(rows.flat().map(({ username }) => username as string))];
  }

  /** Makes an account older than it is. */
  async age(username: string, minutes: number): Promise<void> {
    await this.veil`
      UPDATE accounts SET created_at = created_at - make_interval(mins => ${minutes}) WHERE username = ${username}`;
  }

  /** The list of migrations gets one that no checkout has; what is returned takes it out again. */
  async addMigration(version: string): Promise<() => Promise<void>> {
    await this.veil`INSERT INTO schema_migrations (version) VALUES (${version})`;
    return async () => {
      await this.veil`DELETE FROM schema_migrations WHERE version = ${version}`;
    };
  }

  /** What the stores hold of a group. */
  async group(groupId: string): Promise<GroupStores> {
    const [tables, room, kept] = await Promise.all([
      this.groupInTables(groupId),
      roomInServer(groupId),
      this.roomInDatabase(groupId),
    ]);
    return { tables, room, kept };
  }

  /** Every group of that name, and every room of that title: either may be there without the other. */
  async groupsNamed(name: string): Promise<GroupStores[]> {
    const groups = await this.veil`SELECT id::text AS id FROM groups WHERE name = ${name}`;
    const rooms = await this.chat`SELECT name AS id FROM muc_room WHERE position(${name} IN opts) > 0`;
    const ids = new Set([...groups, ...rooms].map(({ id }) => id as string));
    return Promise.all([...ids].map((id) => this.group(id)));
  }

  private async groupInTables(groupId: string): Promise<GroupInTables | null> {
    const [group] = await this.veil`SELECT name, status, change_id FROM groups WHERE id = ${groupId}`;
    if (!group) return null;
    const members = await this.veil`
      SELECT a.username || '@' || a.domain AS jid, m.role
      FROM group_members m JOIN accounts a ON a.id = m.account_id WHERE m.group_id = ${groupId}`;
    const roles = Object.fromEntries(members.map(({ jid, role }) => [jid, role]));
    return { status: group.status, changing: group.change_id !== null, title: group.name, roles };
  }

  private async roomInDatabase(groupId: string): Promise<Room | null> {
    const [room] = await this.chat<{ opts: string }[]>`SELECT opts FROM muc_room WHERE name = ${groupId}`;
    if (!room) return null;
    const subscribers = await this.chat<{ jid: string }[]>`
      SELECT jid FROM muc_room_subscribers WHERE room = ${groupId} ORDER BY jid`;
    return { ...roomOfOptions(room.opts), subscribers: subscribers.map(({ jid }) => jid) };
  }
}

export interface AccountStores {
  accounts: string[];
  subscribers: number;
  chatUsers: number;
  chatServerKnows: boolean;
}

interface Room {
  title: string;
  roles: Record<string, string>;
  subscribers: string[];
}

interface GroupInTables extends Omit<Room, 'subscribers'> {
  status: string;
  /** Whether somebody holds the group's lease. */
  changing: boolean;
}

export interface GroupStores {
  tables: GroupInTables | null;
  /** The room that lives in the chat server. */
  room: Room | null;
  /** The room that it would open again after a restart. */
  kept: Room | null;
}

export const NO_ACCOUNT: AccountStores = { accounts: [], subscribers: 0, chatUsers: 0, chatServerKnows: false };
export const WHOLE_ACCOUNT: AccountStores = {
  accounts: ['active'],
  subscribers: 1,
  chatUsers: 1,
  chatServerKnows: true,
};

export interface PasswordStores {
  chat: 'old' | 'new' | 'neither';
  calls: 'old' | 'new' | 'neither';
  changing: boolean;
}

export const OLD_PASSWORD: PasswordStores = { chat: 'old', calls: 'old', changing: false };
export const NEW_PASSWORD: PasswordStores = { chat: 'new', calls: 'new', changing: false };

export const NO_GROUP: GroupStores = { tables: null, room: null, kept: null };

/** A group on which all stores agree. */
export function wholeGroup(title: string, roles: Record<string, string>): GroupStores {
  const room = { title, roles, subscribers: Object.keys(roles).sort() };
  return { tables: { status: 'active', changing: false, title, roles }, room, kept: room };
}

function connect(database: string, user: string, password: string): postgres.Sql {
  const { host, ports } = platform;
  return postgres({ host, port: ports.database, database, user, password, max: 2, onnotice: () => {} });
}

async function roomInServer(groupId: string): Promise<Room | null> {
  const service = `muc.${platform.domain}`;
  const roles = await affiliationsOf(`${groupId}@${service}`);
  if (!roles) return null;
  const subscribers = await subscribersOf(`${groupId}@${service}`);
  const options = await ejabberd('get_room_options', { name: groupId, service });
  return { title: options.data.title, roles, subscribers };
}

/** Reads a room's options, which ejabberd keeps as an Erlang term. */
function roomOfOptions(opts: string): Omit<Room, 'subscribers'> {
  const affiliations = opts.match(/\{affiliations,(\[.*?\])\},\{roles,/s)?.[1] ?? '';
  const entries = affiliations.matchAll(/\{\{<<"([^"]*)">>,<<"([^"]*)">>,<<>>\},\{?(\w+)/g);
  return {
    title: opts.match(/\{title,<<"([^"]*)">>\}/)?.[1] ?? '',
    roles: Object.fromEntries([...entries].map(([, user, domain, role]) => [`${user}@${domain}`, role!])),
  };
}
