import postgres from 'postgres';
import { platform, secret } from '../support/platform.js';

/** What every store holds of the names that begin with `prefix`, read from the databases themselves. */
export class Census {
  private readonly veil = connect('veil', 'veil_migrate', secret('db_migrate_password'));
  private readonly chat = connect('ejabberd', 'ejabberd', secret('db_ejabberd_password'));

  constructor(private readonly prefix: string) {}

  async close(): Promise<void> {
    await Promise.all([this.veil.end({ timeout: 1 }), this.chat.end({ timeout: 1 })]);
  }

  /** What is still under way, and will be finished by somebody. */
  async unfinished(): Promise<string[]> {
    const accounts = await this.veil`
      SELECT username || ' is ' || status AS what FROM accounts
      WHERE starts_with(username, ${this.prefix}) AND status <> 'active'`;
    const groups = await this.veil`
      SELECT name || ' is ' || CASE WHEN status = 'active' THEN 'being changed' ELSE status END AS what FROM groups
      WHERE starts_with(name, ${this.prefix}) AND (status <> 'active' OR change_id IS NOT NULL)`;
    const passwords = await this.veil`
      SELECT 'the password of ' || username || ' is being changed' AS what
      FROM password_changes p JOIN accounts a ON a.id = p.account_id WHERE starts_with(username, ${this.prefix})`;
    const endings = await this.veil`
      SELECT 'sessions of ' || username || ' are ending' AS what
      FROM session_endings e JOIN accounts a ON a.id = e.account_id WHERE starts_with(username, ${this.prefix})`;
    return [...accounts, ...groups, ...passwords, ...endings].map(({ what }) => what as string);
  }

  /** The usernames in each store, sorted, as often as they are there. */
  async usernames(): Promise<Record<'accounts' | 'subscribers' | 'chatUsers', string[]>> {
    const [accounts, subscribers, chatUsers] = await Promise.all([
      this.veil`SELECT username FROM accounts WHERE starts_with(username, ${this.prefix})`,
      this.veil`SELECT username FROM kamailio.subscriber WHERE starts_with(username, ${this.prefix})`,
      this.chat`SELECT username FROM users WHERE starts_with(username, ${this.prefix})`,
    ]);
    return {
      accounts: namesIn(accounts),
      subscribers: namesIn(subscribers),
      chatUsers: namesIn(chatUsers),
    };
  }

  /**
   * Ids of groups in the tables, with their names, of rooms in the chat server's database, and of rooms that will be
   * destroyed once more.
   */
  async groups(): Promise<{ tables: Map<string, string>; rooms: Set<string>; leaving: Set<string> }> {
    const tables = await this.veil`SELECT id::text, name FROM groups WHERE starts_with(name, ${this.prefix})`;
    const rooms = await this.chat`SELECT name FROM muc_room WHERE position(${this.prefix} IN opts) > 0`;
    const leaving = await this.veil`SELECT group_id::text AS id FROM removed_rooms`;
    return {
      leaving: new Set(leaving.map(({ id }) => id as string)),
      tables: new Map(tables.map(({ id, name }) => [id, name])),
      rooms: new Set(rooms.map(({ name }) => name as string)),
    };
  }

  /** Push tokens by JID and device, with a space between. */
  async pushTokens(): Promise<Map<string, string>> {
    const rows = await this.veil`
      SELECT jid || ' ' || device_uuid AS device, push_token FROM push_registrations
      WHERE starts_with(jid, ${this.prefix})`;
    return new Map(rows.map(({ device, push_token }) => [device, push_token]));
  }

  /** The digest hash that SIP needs, by username. */
  async digests(): Promise<Map<string, string>> {
    const rows = await this.veil`
      SELECT username, ha1 FROM kamailio.subscriber WHERE starts_with(username, ${this.prefix})`;
    return new Map(rows.map(({ username, ha1 }) => [username, ha1]));
  }

  /** Ids of sessions that are good. */
  async sessions(): Promise<Set<string>> {
    const rows = await this.veil`
      SELECT s.id::text FROM sessions s JOIN accounts a ON a.id = s.account_id
      WHERE starts_with(a.username, ${this.prefix})`;
    return new Set(rows.map(({ id }) => id as string));
  }

  /** How often each message is in somebody's archive, by its id. */
  async archive(username: string): Promise<Map<string, number>> {
    const rows = await this.chat`
      SELECT substring(xml FROM 'id=''([^'']*)''') AS id, count(*)::int AS times
      FROM archive WHERE username = ${username} GROUP BY 1`;
    return new Map(rows.map(({ id, times }) => [id, times]));
  }

  /** Registered contacts, each as often as it is there. */
  async contacts(): Promise<string[]> {
    const rows = await this.veil`
      SELECT username || ' ' || contact AS contact FROM kamailio.location WHERE starts_with(username, ${this.prefix})`;
    return rows.map(({ contact }) => contact as string);
  }
}

const namesIn = (rows: postgres.RowList<postgres.Row[]>): string[] =>
  rows.map(({ username }) => username as string).sort();

function connect(database: string, user: string, password: string): postgres.Sql {
  const { host, ports } = platform;
  return postgres({
    host,
    port: ports.database,
    database,
    user,
    password,
    max: 2,
    idle_timeout: 2,
    onnotice: () => {},
  });
}
