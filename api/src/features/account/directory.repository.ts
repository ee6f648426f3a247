import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';
import type { AccountStatus } from './account.repository.js';

/** An account as the operator sees it. */
export interface DirectoryRow {
  username: string;
  status: AccountStatus;
  email: string | null;
  createdAt: Date;
  /** When one of its living sessions was last opened or refreshed; null when it has none. */
  seenAt: Date | null;
  sessions: number;
  devices: number;
}

@Injectable()
export class DirectoryRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async list(domain: string, now: Date): Promise<DirectoryRow[]> {
    return this.sql<DirectoryRow[]>`
      SELECT a.username, a.status, a.email, a.created_at AS "createdAt", s.seen AS "seenAt",
        COALESCE(s.count, 0) AS sessions, COALESCE(p.count, 0) AS devices
      FROM accounts a
      LEFT JOIN (
        SELECT account_id, count(*)::int AS count, max(used_at) AS seen FROM sessions
        WHERE expires_at > ${now} GROUP BY account_id) s ON s.account_id = a.id
      LEFT JOIN (
        SELECT account_id, count(*)::int AS count FROM push_registrations GROUP BY account_id) p ON p.account_id = a.id
      WHERE a.domain = ${domain} ORDER BY a.username`;
  }

  /** The account that has this username, or else this address. */
  async find(
    username: string | null,
    email: string | null,
    domain: string,
  ): Promise<{ id: string; username: string; status: AccountStatus } | undefined> {
    const [row] = await this.sql<{ id: string; username: string; status: AccountStatus }[]>`
      SELECT id, username, status FROM accounts
      WHERE domain = ${domain} AND (username = ${username} OR email = ${email})
      ORDER BY username = ${username} DESC NULLS LAST LIMIT 1`;
    return row;
  }
}
