import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

/** What a code may prove. */
export type CodePurpose = 'reset_password' | 'verify_email';

/** What a code in the hands of its owner opens. */
export interface TakenCode extends CodeRow {
  username: string;
}

export interface CodeRow {
  accountId: string;
  purpose: CodePurpose;
  hash: Buffer;
  email: string | null;
  expiresAt: Date;
}

@Injectable()
export class OneTimeCodesRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** Keeps a code in the place of an older one of the same purpose; false when there is no active account. */
  async replace({ accountId, purpose, hash, email, expiresAt }: CodeRow): Promise<boolean> {
    const { count } = await this.sql`
      INSERT INTO account_codes (account_id, purpose, code_hash, email, expires_at)
      SELECT id, ${purpose}, ${hash}, ${email}, ${expiresAt} FROM accounts WHERE id = ${accountId} AND status = 'active'
      ON CONFLICT (account_id, purpose) DO UPDATE
      SET code_hash = excluded.code_hash, email = excluded.email, expires_at = excluded.expires_at`;
    return count === 1;
  }

  /** Takes a code, which only one caller can; with an account, only that account's. */
  async take(hash: Buffer, purpose: CodePurpose, now: Date, accountId: string | null): Promise<TakenCode | undefined> {
    const [row] = await this.sql<TakenCode[]>`
      DELETE FROM account_codes c USING accounts a
      WHERE c.code_hash = ${hash} AND c.purpose = ${purpose} AND c.expires_at > ${now}
        AND a.id = c.account_id AND a.status = 'active' AND c.account_id = COALESCE(${accountId}::uuid, c.account_id)
      RETURNING a.username, c.account_id AS "accountId", c.purpose, c.code_hash AS hash, c.email, c.expires_at AS "expiresAt"`;
    return row;
  }

  /** Puts a code back that was taken in vain, unless there is a newer one. */
  async restore({ accountId, purpose, hash, email, expiresAt }: CodeRow): Promise<void> {
    await this.sql`
      INSERT INTO account_codes (account_id, purpose, code_hash, email, expires_at)
      SELECT id, ${purpose}, ${hash}, ${email}, ${expiresAt} FROM accounts WHERE id = ${accountId}
      ON CONFLICT DO NOTHING`;
  }

  /** Removes the code of the purpose; with an address, only one that was sent there. */
  async remove(accountId: string, purpose: CodePurpose, email: string | null): Promise<void> {
    await this.sql`
      DELETE FROM account_codes
      WHERE account_id = ${accountId} AND purpose = ${purpose} AND (${email}::text IS NULL OR email = ${email})`;
  }

  /** Removes at most `most` codes that have expired. */
  async removeExpired(now: Date, most: number): Promise<void> {
    await this.sql`
      DELETE FROM account_codes WHERE (account_id, purpose) IN (
        SELECT account_id, purpose FROM account_codes WHERE expires_at <= ${now} LIMIT ${most})`;
  }
}
