import { Inject, Injectable } from '@nestjs/common';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';
import { AccountRepository } from './account.repository.js';
import type { SipCredentials } from './password.js';

/** A change of password that is under way. `leaseUntil` is a fencing token as well. */
export interface PasswordChangeRow {
  id: string;
  accountId: string;
  username: string;
  sealed: Buffer;
  keptSessionId: string | null;
  leaseUntil: Date;
}

@Injectable()
export class PasswordChangeRepository {
  constructor(
    @Inject(SQL) private readonly sql: Sql,
    private readonly accounts: AccountRepository,
  ) {}

  private get columns() {
    return this.sql`c.id, c.account_id AS "accountId", a.username, c.sealed_password AS sealed,
      c.kept_session_id AS "keptSessionId", c.lease_until AS "leaseUntil"`;
  }

  /** Notes a change before it is made; false when another one of the account is under way, or it is not active. */
  async begin({ id, accountId, sealed, keptSessionId, leaseUntil }: PasswordChangeRow): Promise<boolean> {
    const { count } = await this.sql`
      INSERT INTO password_changes (id, account_id, sealed_password, kept_session_id, lease_until)
      SELECT ${id}, id, ${sealed}, ${keptSessionId}, ${leaseUntil}
      FROM accounts WHERE id = ${accountId} AND status = 'active' FOR SHARE
      ON CONFLICT (account_id) DO NOTHING`;
    return count === 1;
  }

  /** The chat server has the new password: everything of ours follows in one transaction, unless the lease was lost. */
  complete(
    { id, accountId, username, leaseUntil }: PasswordChangeRow,
    sip: SipCredentials,
    now: Date,
    also: (transaction: Queries) => Promise<void>,
  ): Promise<boolean> {
    return inTransaction(this.sql, async (transaction) => {
      // In the order of begin(): the other way round each could wait for the other.
      await transaction`SELECT FROM accounts WHERE id = ${accountId} FOR UPDATE`;
      const { count } = await transaction`
        DELETE FROM password_changes WHERE id = ${id} AND lease_until = ${leaseUntil}`;
      if (count === 0) return false;
      await transaction`UPDATE accounts SET has_password = true, password_changed_at = ${now} WHERE id = ${accountId}`;
      await this.accounts.writeSubscriber({ id: accountId, username }, this.accounts.sipDomain, sip, transaction);
      await also(transaction);
      return true;
    });
  }

  /** Takes over the change that has waited longest after a crash or a failure. */
  async claim(now: Date, leaseUntil: Date): Promise<PasswordChangeRow | undefined> {
    const [row] = await this.sql<PasswordChangeRow[]>`
      UPDATE password_changes c SET lease_until = ${leaseUntil} FROM accounts a
      WHERE c.account_id = (
          SELECT account_id FROM password_changes WHERE lease_until <= ${now}
          ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED)
        AND a.id = c.account_id
      RETURNING ${this.columns}`;
    return row;
  }

  /** The account's change, whoever is at work on it. */
  async find(accountId: string): Promise<PasswordChangeRow | undefined> {
    const [row] = await this.sql<PasswordChangeRow[]>`
      SELECT ${this.columns} FROM password_changes c JOIN accounts a ON a.id = c.account_id
      WHERE c.account_id = ${accountId}`;
    return row;
  }

  /** Takes a change from whoever is at work on it; false when it is through, or somebody else was faster. */
  async takeOver({ id, leaseUntil: found }: PasswordChangeRow, leaseUntil: Date): Promise<boolean> {
    const { count } = await this.sql`
      UPDATE password_changes SET lease_until = ${leaseUntil} WHERE id = ${id} AND lease_until = ${found}`;
    return count === 1;
  }

  /** Gives a lease back before its time, so that the reaper takes the change up. */
  async expireLease({ id, leaseUntil }: PasswordChangeRow, retryAt: Date): Promise<void> {
    await this.sql`
      UPDATE password_changes SET lease_until = ${retryAt} WHERE id = ${id} AND lease_until = ${leaseUntil}`;
  }

  /** Forgets a change that can't be made any more. */
  async remove(id: string): Promise<void> {
    await this.sql`DELETE FROM password_changes WHERE id = ${id}`;
  }
}
