import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { SQL, type Sql } from '../../database/database.module.js';
import { isUniqueViolation } from '../../database/database-errors.js';

/** Which Google account opens which account. */
@Injectable()
export class GoogleRepository {
  private readonly domain: string;

  constructor(
    @Inject(SQL) private readonly sql: Sql,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
  }

  /** The finished account that the Google account opens. */
  async find(sub: string): Promise<{ id: string; username: string } | undefined> {
    const [row] = await this.sql<{ id: string; username: string }[]>`
      SELECT id, username FROM accounts WHERE google_sub = ${sub} AND domain = ${this.domain} AND status <> 'pending'`;
    return row;
  }

  /** `taken` when the Google account opens another account, `other` when another Google account opens this one. */
  async link(accountId: string, sub: string): Promise<'linked' | 'taken' | 'other'> {
    try {
      const { count } = await this.sql`
        UPDATE accounts SET google_sub = ${sub}
        WHERE id = ${accountId} AND status = 'active' AND COALESCE(google_sub, ${sub}) = ${sub}`;
      return count === 1 ? 'linked' : 'other';
    } catch (error) {
      if (isUniqueViolation(error)) return 'taken';
      throw error;
    }
  }

  /** False when it is the only way in. */
  async unlink(accountId: string): Promise<boolean> {
    const { count } = await this.sql`
      UPDATE accounts SET google_sub = NULL WHERE id = ${accountId} AND (has_password OR google_sub IS NULL)`;
    return count === 1;
  }
}
