import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';

/** An account that lets the caller's devices reach its own, or is let, or both. */
export interface ContactRow {
  accountId: string;
  username: string;
  /** Since when the caller lets it; null: he does not. */
  allowedAt: Date | null;
  /** Since when it lets the caller. */
  allowsAt: Date | null;
  /** A suspended one can't be reached. */
  isActive: boolean;
}

@Injectable()
export class ContactsRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** The id of an active account. */
  async accountNamed(username: string, domain: string): Promise<string | undefined> {
    const [account] = await this.sql<{ id: string }[]>`
      SELECT id FROM accounts WHERE username = ${username} AND domain = ${domain} AND status = 'active'`;
    return account?.id;
  }

  /** Notes that an account lets another; `full` when it lets `most` already. Repetition changes nothing. */
  allow(accountId: string, contactId: string, now: Date, most: number): Promise<'allowed' | 'full' | 'gone'> {
    return inTransaction(this.sql, async (transaction) => {
      const accounts = await transaction`
        SELECT FROM accounts WHERE id = ${accountId} AND status = 'active' FOR NO KEY UPDATE`;
      if (accounts.length === 0) return 'gone';
      const [others] = await transaction<{ count: number }[]>`
        SELECT count(*)::integer FROM contacts WHERE account_id = ${accountId} AND contact_id <> ${contactId}`;
      if ((others?.count ?? 0) >= most) return 'full';
      await transaction`
        INSERT INTO contacts (account_id, contact_id, since)
        SELECT ${accountId}, id, ${now} FROM accounts WHERE id = ${contactId} AND status = 'active'
        ON CONFLICT DO NOTHING`;
      return 'allowed';
    });
  }

  /** Whatever has become of the other account. @returns its id; undefined when it was not let */
  async withdraw(accountId: string, username: string, domain: string): Promise<string | undefined> {
    const [contact] = await this.sql<{ id: string }[]>`
      DELETE FROM contacts USING accounts a
      WHERE account_id = ${accountId} AND contact_id = a.id AND a.username = ${username} AND a.domain = ${domain}
      RETURNING a.id`;
    return contact?.id;
  }

  /** By name, or only the one that is given. Who is suspended asks for nothing, but whom the account lets is there to be withdrawn. */
  async list(accountId: string, most: number, contactId: string | null = null): Promise<ContactRow[]> {
    return this.sql<ContactRow[]>`
      SELECT a.id AS "accountId", a.username, mine.since AS "allowedAt", theirs.since AS "allowsAt",
        a.status = 'active' AS "isActive"
      FROM (SELECT contact_id, since FROM contacts WHERE account_id = ${accountId}) AS mine
      FULL JOIN (SELECT account_id, since FROM contacts WHERE contact_id = ${accountId}) AS theirs
        ON theirs.account_id = mine.contact_id
      JOIN accounts a ON a.id = coalesce(mine.contact_id, theirs.account_id)
        AND (a.status = 'active' OR mine.since IS NOT NULL AND a.status <> 'deleting')
      WHERE ${contactId}::uuid IS NULL OR a.id = ${contactId}::uuid
      ORDER BY mine.since IS NULL, a.username LIMIT ${most}`;
  }

  /** Whether each lets the other. */
  async areMutual(one: string, other: string): Promise<boolean> {
    const rows = await this.sql`
      SELECT FROM contacts WHERE (account_id, contact_id) IN ((${one}, ${other}), (${other}, ${one}))`;
    return rows.length === 2;
  }
}
