import { Inject, Injectable } from '@nestjs/common';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';

export type MessageType = 'command' | 'event';

/** A message that is to be kept. */
export interface NewMessage {
  accountId: string;
  from: string;
  to: string;
  type: MessageType;
  kind: string;
  reqId: string | null;
  sealed: Buffer;
  expiresAt: Date;
}

/**
 * What became of it. `known`: its account has given the host the same before. `full`: too many wait for its device; an event is kept
 * all the same, and waits for nobody. `gone`: its account is.
 */
export type Kept = { outcome: 'kept' | 'full'; id: number } | { outcome: 'known' | 'full' | 'gone'; id: null };

/** A message that waits for its device. */
export interface WaitingMessage {
  id: number;
  accountId: string;
  from: string;
  to: string;
  type: MessageType;
  kind: string;
  reqId: string | null;
  sealed: Buffer;
  /** When its time is over, in milliseconds of the epoch. */
  until: number;
}

/** Which message waits for which device, and from whom. */
export interface Waiting {
  id: number;
  from: string;
  to: string;
}

/** A device, and the account whose it is: an id may have been another's before. */
export interface Recipient {
  readonly deviceId: string;
  readonly accountId: string;
}

/** Where a command is that has come before. `expired`: nobody has acknowledged it in its time. */
export type CommandState = 'acknowledged' | 'expired' | 'waiting';

/** A command that has come before, and who has sent it. */
export interface KnownCommand {
  state: CommandState;
  from: string;
}

/** A command that nobody has acknowledged in its time. */
export interface ExpiredCommand {
  accountId: string;
  from: string;
  to: string;
  reqId: string | null;
}

const WAITING = `id::float8 AS id, account_id AS "accountId", from_device_id AS "from", to_device_id AS "to",
  msg_type AS type, kind, payload AS sealed`;

/** Queue and history in one: many rows in one statement, since each commit takes its time. */
@Injectable()
export class RelayMessagesRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /**
   * Keeps messages, in their order, which is that of their ids. An account is held while its messages are written, so that
   * none is written for one that is gone. Nothing in it depends on what the planner knows of the table, which is empty when
   * it first asks: looking up each row by an index is right at any size.
   * @param most commands, or events, that may wait for one device
   */
  async keep(messages: readonly NewMessage[], most: number, now: Date, queries: Queries = this.sql): Promise<Kept[]> {
    const column = <T>(read: (message: NewMessage) => T): T[] => messages.map(read);
    const rows = await queries<{ n: number; id: number | null; outcome: Kept['outcome'] }[]>`
      WITH told AS MATERIALIZED (
        SELECT * FROM unnest(
          ${column(({ accountId }) => accountId)}::uuid[], ${column(({ from }) => from)}::text[],
          ${column(({ to }) => to)}::text[], ${column(({ type }) => type)}::text[], ${column(({ kind }) => kind)}::text[],
          ${column(({ reqId }) => reqId)}::text[], ${column(({ sealed }) => sealed.toString('base64'))}::text[],
          ${column(({ expiresAt }) => expiresAt.toISOString())}::timestamptz[]
        ) WITH ORDINALITY AS t (account_id, from_device_id, to_device_id, msg_type, kind, req_id, payload, expires_at, n)
      ), held AS MATERIALIZED (
        SELECT id FROM accounts WHERE id = ANY(ARRAY(SELECT DISTINCT account_id FROM told)) AND status = 'active'
        ORDER BY id FOR KEY SHARE
      ), queues AS MATERIALIZED (
        SELECT account_id, to_device_id, (SELECT count(*) FROM relay_messages m WHERE m.to_device_id = queue.to_device_id
          AND m.account_id = queue.account_id AND m.acked_at IS NULL AND m.expired_at IS NULL) AS waiting
        FROM (SELECT DISTINCT account_id, to_device_id FROM told) queue
      ), placed AS MATERIALIZED (
        SELECT news.*, nextval('relay_messages_id_seq') AS id,
          waiting + count(*) FILTER (WHERE NOT is_known) OVER (PARTITION BY account_id, to_device_id ORDER BY n) > ${most} AS is_full
        FROM (
          SELECT *, msg_type = 'command' AND EXISTS (SELECT FROM relay_messages known WHERE known.account_id = told.account_id
            AND known.to_device_id = told.to_device_id AND known.req_id = told.req_id AND known.msg_type = 'command') AS is_known
          FROM told WHERE account_id IN (SELECT id FROM held)
        ) news JOIN queues USING (account_id, to_device_id) ORDER BY n
      ), added AS (
        INSERT INTO relay_messages (id, account_id, from_device_id, to_device_id, msg_type, kind, req_id, payload, created_at,
          expires_at, expired_at)
        SELECT id, account_id, from_device_id, to_device_id, msg_type, kind, req_id, decode(payload, 'base64'), ${now},
          expires_at, CASE WHEN is_full THEN ${now}::timestamptz END
        FROM placed WHERE NOT is_known AND (NOT is_full OR msg_type = 'event') ORDER BY n
        ON CONFLICT (account_id, to_device_id, req_id) WHERE msg_type = 'command' DO NOTHING
        RETURNING id
      )
      SELECT n::int AS n, CASE WHEN is_added THEN id::float8 END AS id, CASE WHEN is_known THEN 'known' WHEN is_full THEN 'full'
        WHEN is_added THEN 'kept' ELSE 'known' END AS outcome
      FROM (SELECT *, id IN (SELECT id FROM added) AS is_added FROM placed) placed`;
    const outcomes = new Map(rows.map(({ n, id, outcome }) => [n, { id, outcome } as Kept]));
    return messages.map((_, index) => outcomes.get(index + 1) ?? { id: null, outcome: 'gone' });
  }

  /**
   * What waits for a device and is still good, in its order, after one of them.
   * @param page so many, and no more when they have so many bytes
   */
  async waitingFor(
    { deviceId, accountId }: Recipient,
    after: number,
    page: { most: number; bytes: number },
    now: Date,
  ): Promise<WaitingMessage[]> {
    return this.sql<WaitingMessage[]>`
      SELECT ${this.sql.unsafe(WAITING)}, req_id AS "reqId", extract(epoch FROM expires_at)::float8 * 1000 AS until FROM (
        SELECT *, sum(length(payload)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - length(payload) AS bytes_before
        FROM relay_messages
        WHERE to_device_id = ${deviceId} AND account_id = ${accountId} AND id > ${after}
          AND acked_at IS NULL AND expired_at IS NULL AND expires_at > ${now}
        ORDER BY id LIMIT ${page.most}
      ) page WHERE bytes_before < ${page.bytes} ORDER BY id`;
  }

  /** What waits for the devices, or what of it is older: not what it says, which is most of it. */
  async waiting(recipients: readonly Recipient[], before: Date | null, now: Date): Promise<Waiting[]> {
    return this.sql<Waiting[]>`
      SELECT message.id::float8 AS id, message.from_device_id AS "from", device.id AS "to"
      FROM unnest(
        ${recipients.map(({ deviceId }) => deviceId)}::text[], ${recipients.map(({ accountId }) => accountId)}::uuid[]
      ) AS device (id, account_id),
      LATERAL (SELECT id, from_device_id FROM relay_messages WHERE to_device_id = device.id
        AND account_id = device.account_id AND acked_at IS NULL AND expired_at IS NULL AND expires_at > ${now}
        AND (${before}::timestamptz IS NULL OR created_at <= ${before})) AS message`;
  }

  /** They have arrived: they wait no more. */
  async acknowledge(ids: readonly number[], now: Date): Promise<void> {
    await this.sql`
      UPDATE relay_messages SET acked_at = ${now}
      WHERE id = ANY(${ids.map(String)}::bigint[]) AND acked_at IS NULL AND expired_at IS NULL`;
  }

  /** A command of an account by its id; undefined when there is none. */
  async commandOf(accountId: string, to: string, reqId: string, now: Date): Promise<KnownCommand | undefined> {
    const [row] = await this.sql<KnownCommand[]>`
      SELECT from_device_id AS "from", CASE WHEN acked_at IS NOT NULL THEN 'acknowledged'
        WHEN expired_at IS NOT NULL OR expires_at <= ${now} THEN 'expired' ELSE 'waiting' END AS state
      FROM relay_messages
      WHERE account_id = ${accountId} AND to_device_id = ${to} AND req_id = ${reqId} AND msg_type = 'command'`;
    return row;
  }

  /**
   * A command that waits is from now on that of another sender, as he says it.
   * @param first who has sent it. @returns its id; undefined when it is not his any more, or waits no more
   */
  async takeOver(first: string, command: NewMessage, now: Date): Promise<number | undefined> {
    const { accountId, from, to, kind, reqId, sealed, expiresAt } = command;
    const [row] = await this.sql<{ id: number }[]>`
      UPDATE relay_messages SET from_device_id = ${from}, kind = ${kind}, payload = ${sealed}, expires_at = ${expiresAt}
      WHERE account_id = ${accountId} AND to_device_id = ${to} AND req_id = ${reqId} AND msg_type = 'command'
        AND from_device_id = ${first} AND acked_at IS NULL AND expired_at IS NULL AND expires_at > ${now}
      RETURNING id::float8 AS id`;
    return row?.id;
  }

  /** Whether the time of any message is over that waits, and that nobody else sees to: a transaction each second would be for nothing. */
  async anyExpired(now: Date): Promise<boolean> {
    const { count } = await this.sql`
      SELECT FROM relay_messages WHERE acked_at IS NULL AND expired_at IS NULL AND expires_at <= ${now}
      LIMIT 1 FOR UPDATE SKIP LOCKED`;
    return count > 0;
  }

  /**
   * Ends the wait of up to `most` messages whose time is over, each in one process only, and keeps what their senders are to
   * be told of it: both or neither.
   * @param queueMax as `most` of keep
   * @returns how many have expired, and what is kept
   */
  async expire(
    now: Date,
    { most, queueMax }: { most: number; queueMax: number },
    newsOf: (commands: readonly ExpiredCommand[]) => NewMessage[],
  ): Promise<{ expired: number; news: { message: NewMessage; kept: Kept }[] }> {
    return inTransaction(this.sql, async (queries) => {
      const rows = await queries<(ExpiredCommand & { type: MessageType })[]>`
        UPDATE relay_messages SET expired_at = ${now} WHERE id IN (
          SELECT id FROM relay_messages WHERE acked_at IS NULL AND expired_at IS NULL AND expires_at <= ${now}
          ORDER BY expires_at LIMIT ${most} FOR UPDATE SKIP LOCKED)
        RETURNING account_id AS "accountId", from_device_id AS "from", to_device_id AS "to", req_id AS "reqId", msg_type AS type`;
      const messages = newsOf(rows.filter(({ type }) => type === 'command'));
      const kept = messages.length === 0 ? [] : await this.keep(messages, queueMax, now, queries);
      return { expired: rows.length, news: messages.map((message, index) => ({ message, kept: kept[index] as Kept })) };
    });
  }
}
