import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

@Injectable()
export class SessionRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** Opens a session of an active account; its own expired ones go. False when the account is gone meanwhile. */
  async create(session: { id: string; accountId: string; now: Date; expiresAt: Date }): Promise<boolean> {
    const { count } = await this.sql`
      WITH expired AS (DELETE FROM sessions WHERE account_id = ${session.accountId} AND expires_at < ${session.now})
      INSERT INTO sessions (id, account_id, created_at, expires_at)
      SELECT ${session.id}, id, ${session.now}, ${session.expiresAt}
      FROM accounts WHERE id = ${session.accountId} AND status = 'active'`;
    return count === 1;
  }

  /** Whether the session was not revoked and its account is active. */
  async isAlive(id: string): Promise<boolean> {
    const rows = await this.sql`
      SELECT 1 FROM sessions s JOIN accounts a ON a.id = s.account_id
      WHERE s.id = ${id} AND s.revoked_at IS NULL AND a.status = 'active'`;
    return rows.length === 1;
  }
}
