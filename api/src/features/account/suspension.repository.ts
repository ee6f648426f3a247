import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';
import { AccountRepository, DIGEST_LOCK, type HeldAccount } from './account.repository.js';

/** Suspended accounts. Both changes of status need a lease that is nobody else's. */
@Injectable()
export class SuspensionRepository {
  constructor(
    @Inject(SQL) private readonly sql: Sql,
    private readonly accounts: AccountRepository,
  ) {}

  /**
   * From here on the API refuses the account, and so does Kamailio, which asks the database: no session counts, no digest
   * fits. All stays. Undefined when there is no such account, or when somebody works on it.
   */
  suspend(id: string, now: Date, leaseUntil: Date): Promise<HeldAccount | undefined> {
    return inTransaction(this.sql, async (transaction) => {
      const [account] = await transaction<HeldAccount[]>`
        UPDATE accounts SET status = 'suspended', lease_until = ${leaseUntil}
        WHERE id = ${id} AND status IN ('active', 'suspended', 'resuming')
          AND (lease_until IS NULL OR lease_until <= ${now})
        RETURNING id, username, status, lease_until`;
      if (!account) return undefined;
      await transaction`
        UPDATE kamailio.subscriber SET ha1 = ${DIGEST_LOCK} || ha1, ha1b = ${DIGEST_LOCK} || ha1b
        WHERE username = ${account.username} AND domain = ${this.accounts.sipDomain} AND NOT starts_with(ha1, ${DIGEST_LOCK})`;
      return account;
    });
  }

  /** Nobody needs to work on the suspended account any more. */
  async settle({ id, lease_until }: HeldAccount): Promise<void> {
    await this.sql`
      UPDATE accounts SET lease_until = NULL WHERE id = ${id} AND status = 'suspended' AND lease_until = ${lease_until}`;
  }

  /** Begins to let the account in again; undefined when it is not suspended, or when somebody works on it. */
  async beginToResume(id: string, now: Date, leaseUntil: Date): Promise<HeldAccount | undefined> {
    const [account] = await this.sql<HeldAccount[]>`
      UPDATE accounts SET status = 'resuming', lease_until = ${leaseUntil}
      WHERE id = ${id} AND status IN ('suspended', 'resuming') AND (lease_until IS NULL OR lease_until <= ${now})
      RETURNING id, username, status, lease_until`;
    return account;
  }

  /** The account is as it was before its suspension; false when the lease was lost. */
  resume({ id, username, lease_until }: HeldAccount): Promise<boolean> {
    return inTransaction(this.sql, async (transaction) => {
      const { count } = await transaction`
        UPDATE accounts SET status = 'active', lease_until = NULL
        WHERE id = ${id} AND status = 'resuming' AND lease_until = ${lease_until}`;
      if (count === 0) return false;
      await transaction`
        UPDATE kamailio.subscriber SET ha1 = ltrim(ha1, ${DIGEST_LOCK}), ha1b = ltrim(ha1b, ${DIGEST_LOCK})
        WHERE username = ${username} AND domain = ${this.accounts.sipDomain}`;
      return true;
    });
  }

  /** Has work begin again on suspended accounts that are not among those that the chat server refuses. */
  async reopenMissing(refused: readonly string[], now: Date): Promise<void> {
    await this.sql`
      UPDATE accounts SET lease_until = ${now}
      WHERE domain = ${this.accounts.domain} AND status = 'suspended' AND lease_until IS NULL
        AND NOT username = ANY(${refused}::text[])`;
  }

  /** Which of the refused names are those of accounts that may come in, or nobody's. */
  async wronglyRefused(refused: readonly string[]): Promise<string[]> {
    const rows = await this.sql<{ username: string }[]>`
      SELECT username FROM unnest(${refused}::text[]) AS refused (username)
      WHERE NOT EXISTS (
        SELECT 1 FROM accounts a
        WHERE a.username = refused.username AND a.domain = ${this.accounts.domain} AND a.status IN ('suspended', 'resuming', 'deleting'))`;
    return rows.map(({ username }) => username);
  }
}
