import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';
import { isUniqueViolation } from '../../database/database-errors.js';
import { inTransaction } from '../../database/transaction.js';

export interface EmailRow {
  email: string | null;
  verified: boolean;
}

/** The e-mail addresses of accounts. */
@Injectable()
export class EmailRepository {
  private readonly domain: string;

  constructor(
    @Inject(SQL) private readonly sql: Sql,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
  }

  async find(accountId: string): Promise<EmailRow> {
    const [row] = await this.sql<EmailRow[]>`
      SELECT email, email_verified_at IS NOT NULL AS verified FROM accounts WHERE id = ${accountId}`;
    return row ?? { email: null, verified: false };
  }

  /** Whether another account has proved that the address is its own. */
  async isProvedByOther(email: string, accountId: string): Promise<boolean> {
    const rows = await this.sql`
      SELECT 1 FROM accounts
      WHERE email = ${email} AND domain = ${this.domain} AND id <> ${accountId} AND email_verified_at IS NOT NULL`;
    return rows.length > 0;
  }

  /**
   * The address is the account's own from now on. An account that had it without proof loses it.
   * @returns the address before, `taken` when another account was faster, undefined without an active account
   */
  async prove(accountId: string, email: string, now: Date): Promise<EmailRow | 'taken' | undefined> {
    try {
      return await inTransaction(this.sql, async (transaction) => {
        const before = await this.lock(accountId, transaction);
        if (!before) return undefined;
        await transaction`
          UPDATE accounts SET email = NULL
          WHERE email = ${email} AND domain = ${this.domain} AND id <> ${accountId} AND email_verified_at IS NULL`;
        await transaction`
          UPDATE accounts SET email = ${email}, email_verified_at = ${now} WHERE id = ${accountId}`;
        return before;
      });
    } catch (error) {
      if (isUniqueViolation(error)) return 'taken';
      throw error;
    }
  }

  /** The account has no address any more. @returns the address before */
  remove(accountId: string): Promise<EmailRow | undefined> {
    return inTransaction(this.sql, async (transaction) => {
      const before = await this.lock(accountId, transaction);
      await transaction`UPDATE accounts SET email = NULL, email_verified_at = NULL WHERE id = ${accountId}`;
      return before;
    });
  }

  private async lock(accountId: string, transaction: Queries): Promise<EmailRow | undefined> {
    const [row] = await transaction<EmailRow[]>`
      SELECT email, email_verified_at IS NOT NULL AS verified FROM accounts
      WHERE id = ${accountId} AND status = 'active' FOR UPDATE`;
    return row;
  }
}
