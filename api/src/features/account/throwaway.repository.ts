import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';
import type { AccountStatus } from './account.repository.js';

/** Looks for accounts by their names alone, which those of people never are. */
@Injectable()
export class ThrowawayRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async find(username: string, domain: string): Promise<{ id: string; status: AccountStatus } | undefined> {
    const [row] = await this.sql<{ id: string; status: AccountStatus }[]>`
      SELECT id, status FROM accounts WHERE username = ${username} AND domain = ${domain}`;
    return row;
  }

  /** The active accounts whose names begin like this, made before a time. */
  async findOlder(prefix: string, domain: string, before: Date): Promise<string[]> {
    const rows = await this.sql<{ username: string }[]>`
      SELECT username FROM accounts
      WHERE starts_with(username, ${prefix}) AND domain = ${domain} AND status = 'active' AND created_at < ${before}
      ORDER BY created_at LIMIT 100`;
    return rows.map(({ username }) => username);
  }
}
