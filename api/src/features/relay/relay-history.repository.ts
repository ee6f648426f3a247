import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';
import type { MessageType } from './relay-messages.repository.js';

export interface PastMessage {
  id: number;
  from: string;
  to: string;
  type: MessageType;
  sealed: Buffer;
  createdAt: Date;
  acknowledgedAt: Date | null;
  expiredAt: Date | null;
}

/** What a message takes beside what it says, in bytes: its fields, and its place in the indexes. */
export const ROW_BYTES = 500;

const PAST = `id::float8 AS id, from_device_id AS "from", to_device_id AS "to", msg_type AS type, payload AS sealed,
  created_at AS "createdAt", acked_at AS "acknowledgedAt", expired_at AS "expiredAt"`;

/** Messages when they are looked at, and forgotten. */
@Injectable()
export class RelayHistoryRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** The newest messages of an account, or of one of its devices, after as many. */
  async page(accountId: string, deviceId: string | null, offset: number, most: number): Promise<PastMessage[]> {
    return this.sql<PastMessage[]>`
      SELECT ${this.sql.unsafe(PAST)} FROM relay_messages WHERE account_id = ${accountId} ${this.of(deviceId)}
      ORDER BY id DESC OFFSET ${offset} LIMIT ${most}`;
  }

  async count(accountId: string, deviceId: string | null): Promise<number> {
    const [row] = await this.sql<{ count: number }[]>`
      SELECT count(*)::float8 AS count FROM relay_messages WHERE account_id = ${accountId} ${this.of(deviceId)}`;
    return row?.count ?? 0;
  }

  /** The messages of an account in their order, after one of them. */
  async after(accountId: string, id: number, most: number): Promise<PastMessage[]> {
    return this.sql<PastMessage[]>`
      SELECT ${this.sql.unsafe(PAST)} FROM relay_messages WHERE account_id = ${accountId} AND id > ${id}
      ORDER BY id LIMIT ${most}`;
  }

  /** Forgets what is older, of the `most` oldest: ids grow with time, so no index on the time is needed. @returns how many */
  async forget(before: Date, most: number): Promise<number> {
    const { count } = await this.sql`
      DELETE FROM relay_messages WHERE id IN (
        SELECT id FROM (SELECT id, created_at FROM relay_messages ORDER BY id LIMIT ${most}) oldest
        WHERE created_at < ${before})`;
    return count;
  }

  /**
   * The newest message of an account that is too much: with it and those after it there are more than so many bytes.
   * @param page so many are looked at in one statement: all of them would take too long
   */
  async newestBeyond(accountId: string, bytes: number, page: number): Promise<number | undefined> {
    let [left, before] = [bytes, Number.MAX_SAFE_INTEGER];
    for (;;) {
      const [row] = await this.sql<{ beyond: number | null; oldest: number | null; bytes: number }[]>`
        SELECT (max(id) FILTER (WHERE so_far > ${left}))::float8 AS beyond, min(id)::float8 AS oldest, sum(size)::float8 AS bytes
        FROM (
          SELECT *, sum(size) OVER (ORDER BY id DESC) AS so_far FROM (
            SELECT id, length(payload) + ${ROW_BYTES}::int AS size FROM relay_messages
            WHERE account_id = ${accountId} AND id < ${before} ORDER BY id DESC LIMIT ${page}) page
        ) sized`;
      if (!row || row.oldest === null) return undefined;
      if (row.beyond !== null) return row.beyond;
      left -= row.bytes;
      before = row.oldest;
    }
  }

  /** Forgets up to `most` messages of an account, up to one of them, but for those that wait. @returns how many */
  async forgetUpTo(accountId: string, last: number, most: number): Promise<number> {
    const { count } = await this.sql`
      DELETE FROM relay_messages WHERE id IN (
        SELECT id FROM relay_messages WHERE account_id = ${accountId} AND id <= ${last}
          AND (acked_at IS NOT NULL OR expired_at IS NOT NULL)
        ORDER BY id LIMIT ${most})`;
    return count;
  }

  /** Forgets up to `most` messages of an account. @returns how many */
  async remove(accountId: string, most: number): Promise<number> {
    const { count } = await this.sql`
      DELETE FROM relay_messages WHERE id IN (
        SELECT id FROM relay_messages WHERE account_id = ${accountId} ORDER BY id LIMIT ${most})`;
    return count;
  }

  private of(deviceId: string | null) {
    return deviceId === null ? this.sql`` : this.sql`AND (from_device_id = ${deviceId} OR to_device_id = ${deviceId})`;
  }
}
