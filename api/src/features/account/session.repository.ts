import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

/** A session that is about to be opened. */
export interface NewSession {
  id: string;
  now: Date;
  expiresAt: Date;
}

/** Whose session was opened. */
export interface Login {
  accountId: string;
  ha1: string | null;
}

@Injectable()
export class SessionRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /**
   * Opens a session of an active account.
   * @returns the account, with the SIP credentials that are stored for it; undefined when there is no such account
   */
  async open(username: string, domain: string, sipDomain: string, session: NewSession): Promise<Login | undefined> {
    const [login] = await this.sql<Login[]>`
      WITH opened AS (
        INSERT INTO sessions (id, account_id, created_at, expires_at)
        SELECT ${session.id}, id, ${session.now}, ${session.expiresAt}
        FROM accounts WHERE username = ${username} AND domain = ${domain} AND status = 'active'
        RETURNING account_id
      )
      SELECT opened.account_id AS "accountId", subscriber.ha1 FROM opened
      LEFT JOIN kamailio.subscriber ON subscriber.username = ${username} AND subscriber.domain = ${sipDomain}`;
    return login;
  }

  async remove(id: string): Promise<void> {
    await this.sql`DELETE FROM sessions WHERE id = ${id}`;
  }

  /** Removes at most `most` sessions whose tokens have expired. */
  async removeExpired(now: Date, most: number): Promise<void> {
    await this.sql`
      DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < ${now} LIMIT ${most})`;
  }

  /** Whether the session was not revoked and its account is active. */
  async isAlive(id: string): Promise<boolean> {
    const rows = await this.sql`
      SELECT 1 FROM sessions s JOIN accounts a ON a.id = s.account_id
      WHERE s.id = ${id} AND s.revoked_at IS NULL AND a.status = 'active'`;
    return rows.length === 1;
  }
}
