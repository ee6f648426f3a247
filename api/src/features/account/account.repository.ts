import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';
import { readingsOf } from './login-name.js';
import type { SipCredentials } from './password.js';
import type { RetiredName } from './retired-names.repository.js';

export type AccountStatus = 'pending' | 'active' | 'suspended' | 'resuming' | 'deleting';

/** Of those that are refused for the time being. */
export const SUSPENSIONS: readonly AccountStatus[] = ['suspended', 'resuming'];

/** What stands before a digest hash that no password may fit, as in /etc/shadow. */
export const DIGEST_LOCK = '!';

/** Ways in besides the username; each leads to one account of a domain only. */
export interface Identities {
  /** In its normal form (common/email.ts). */
  email: string | null;
  /** When the address was proved; null: it is a login name and no more. */
  emailVerifiedAt: Date | null;
  googleSub: string | null;
}

export const NO_IDENTITIES: Identities = { email: null, emailVerifiedAt: null, googleSub: null };

/** All that a new account wants to be known by. */
export interface Claim extends Identities {
  username: string;
  domain: string;
}

/** A claim that is taken for an account that is being made. */
export interface Reservation extends Claim {
  id: string;
  leaseUntil: Date;
}

/** Whose password a login is checked against. */
export interface LoginRow {
  id: string;
  username: string;
  ha1: string | null;
  /** False for the stand-in: the account of somebody else. */
  known: boolean;
}

export interface AccountRow {
  id: string;
  username: string;
  status: AccountStatus;
  lease_until: Date | null;
}

/** Whoever has a part of a claim. */
export type Claimant = AccountRow & Pick<Identities, 'email' | 'googleSub'>;

/** A row that somebody works on, by the lease that he holds. */
export interface HeldAccount extends AccountRow {
  lease_until: Date;
}

/** Whether a statement would have used an invite more often than it allows: the table's own check, which counts in turn. */
const isOverused = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'constraint_name' in error && error.constraint_name === 'invites_used';

/**
 * Accounts and the rows that live and die with them. `lease_until` is a fencing token as well: whoever holds a lease
 * writes only while the row still carries it.
 */
@Injectable()
export class AccountRepository {
  readonly sipDomain: string;
  readonly domain: string;

  constructor(
    @Inject(SQL) private readonly sql: Sql,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
    this.sipDomain = addresses.sipDomain;
  }

  /**
   * The account that somebody logs in to, with the SIP credentials that are stored for it. For a name that nobody has, a
   * stand-in: always the same for a name, so that trying it again tells no more; undefined when there is no account at
   * all. A username counts before an address: nobody is shadowed by who has his JID for an address.
   */
  async findLogin(typed: string): Promise<LoginRow | undefined> {
    const { username, email } = readingsOf(typed, this.domain);
    const [row] = await this.sql<LoginRow[]>`
      (SELECT a.id, a.username, s.ha1, true AS known
       FROM accounts a LEFT JOIN kamailio.subscriber s ON s.username = a.username AND s.domain = ${this.sipDomain}
       WHERE a.domain = ${this.domain} AND a.status <> 'pending'
         AND ${email === null ? this.sql`a.username = ${username}` : this.sql`(a.username = ${username} OR a.email = ${email})`}
       ORDER BY a.username = ${username} DESC NULLS LAST LIMIT 1)
      UNION ALL
      (SELECT id, username, NULL, false FROM accounts
       WHERE id >= md5(${typed.toLowerCase()})::uuid AND status = 'active' ORDER BY id LIMIT 1)
      UNION ALL
      (SELECT id, username, NULL, false FROM accounts WHERE status = 'active' ORDER BY id LIMIT 1)
      LIMIT 1`;
    return row;
  }

  /** Whoever has one of these names in the domain, if anybody: the Google account counts first, then the username. */
  async findClaimant(
    domain: string,
    usernames: string[],
    emails: string[],
    googleSub: string | null,
  ): Promise<Claimant | undefined> {
    const [row] = await this.sql<Claimant[]>`
      SELECT id, username, status, lease_until, email, google_sub AS "googleSub" FROM accounts
      WHERE domain = ${domain} AND (
        username = ANY(${usernames}::text[]) OR email = ANY(${emails}::text[]) OR google_sub = ${googleSub})
      ORDER BY google_sub = ${googleSub} DESC NULLS LAST, username = ANY(${usernames}::text[]) DESC LIMIT 1`;
    return row;
  }

  async findActive(usernames: string[], domain: string): Promise<{ id: string; username: string }[]> {
    return this.sql<{ id: string; username: string }[]>`
      SELECT id, username FROM accounts
      WHERE username = ANY(${usernames}::text[]) AND domain = ${domain} AND status = 'active'`;
  }

  /** Whether there is such an account, in one of the statuses. */
  async hasStatus(id: string, statuses: readonly AccountStatus[]): Promise<boolean> {
    const rows = await this.sql`SELECT 1 FROM accounts WHERE id = ${id} AND status = ANY(${statuses}::text[])`;
    return rows.length === 1;
  }

  /** Takes what is claimed for whoever holds the lease; false when somebody has some of it. */
  async reserve(account: Reservation): Promise<boolean> {
    const { count } = await this.sql`
      INSERT INTO accounts (id, username, domain, status, lease_until, email, email_verified_at, google_sub)
      VALUES (${account.id}, ${account.username}, ${account.domain}, 'pending', ${account.leaseUntil},
        ${account.email}, ${account.emailVerifiedAt}, ${account.googleSub})
      ON CONFLICT DO NOTHING`;
    return count === 1;
  }

  /** Takes what is claimed and a use of the invite, or neither; false when either is somebody else's. */
  async reserveByInvite(account: Reservation, inviteHash: Buffer, now: Date): Promise<boolean> {
    try {
      const { count } = await this.sql`
        WITH reserved AS (
          INSERT INTO accounts (
            id, username, domain, status, lease_until, email, email_verified_at, google_sub, invite_id)
          SELECT ${account.id}, ${account.username}, ${account.domain}, 'pending', ${account.leaseUntil},
            ${account.email}, ${account.emailVerifiedAt}::timestamptz, ${account.googleSub}, id
          FROM invites WHERE code_hash = ${inviteHash} AND expires_at > ${now} AND revoked_at IS NULL
          ON CONFLICT DO NOTHING
          RETURNING invite_id
        )
        UPDATE invites SET used = used + 1 FROM reserved WHERE id = reserved.invite_id`;
      return count === 1;
    } catch (error) {
      if (isOverused(error)) return false;
      throw error;
    }
  }

  /**
   * The reserved account becomes active and can make calls; false when the lease was lost meanwhile.
   * @param sip null when nobody knows the password
   */
  activate(account: { id: string; username: string; leaseUntil: Date }, sip: SipCredentials | null): Promise<boolean> {
    return inTransaction(this.sql, async (transaction) => {
      const { count } = await transaction`
        UPDATE accounts SET status = 'active', lease_until = NULL, invite_id = NULL, has_password = ${sip !== null}
        WHERE id = ${account.id} AND status = 'pending' AND lease_until = ${account.leaseUntil}`;
      if (count === 1 && sip) await this.writeSubscriber(account, this.sipDomain, sip, transaction);
      return count === 1;
    });
  }

  /**
   * Kamailio's row of the account, written or replaced unless the account is being deleted: that must not leave one
   * behind. That of a suspended account stays locked. The plain password is never stored.
   */
  async writeSubscriber(
    account: { id: string; username: string },
    sipDomain: string,
    { ha1, ha1b }: SipCredentials,
    sql: Queries = this.sql,
  ): Promise<void> {
    await sql`
      INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b)
      SELECT ${account.username}, ${sipDomain}, '', locked.prefix || ${ha1}, locked.prefix || ${ha1b}
      FROM (
        SELECT CASE status WHEN 'active' THEN '' ELSE ${DIGEST_LOCK} END AS prefix
        FROM accounts WHERE id = ${account.id} AND status IN ('active', 'suspended', 'resuming') FOR SHARE) AS locked
      ON CONFLICT (username, domain) DO UPDATE SET ha1 = excluded.ha1, ha1b = excluded.ha1b`;
  }

  /** Whether the owner knows a password. */
  async hasPassword(id: string): Promise<boolean> {
    const [row] = await this.sql<{ has: boolean }[]>`SELECT has_password AS has FROM accounts WHERE id = ${id}`;
    return row?.has ?? false;
  }

  /** Writes SIP credentials that were missing or stale, unless somebody has changed them since they were read. */
  async repairSubscriber(
    account: { id: string; username: string; ha1: string | null },
    { ha1, ha1b }: SipCredentials,
  ): Promise<void> {
    await this.sql`
      INSERT INTO kamailio.subscriber AS known (username, domain, password, ha1, ha1b)
      SELECT ${account.username}, ${this.sipDomain}, '', ${ha1}, ${ha1b}
      FROM accounts WHERE id = ${account.id} AND status = 'active' FOR SHARE
      ON CONFLICT (username, domain) DO UPDATE SET ha1 = excluded.ha1, ha1b = excluded.ha1b
      WHERE known.ha1 = ${account.ha1}`;
  }

  /** Gives a lease back before its time, so that the reaper or a retry takes the row up at once. */
  async expireLease(id: string, leaseUntil: Date, now: Date): Promise<void> {
    await this.sql`UPDATE accounts SET lease_until = ${now} WHERE id = ${id} AND lease_until = ${leaseUntil}`;
  }

  /**
   * Closes an active account for good: from here on its tokens, calls and pushes are dead, whatever happens to the rest.
   * With `suspendedBefore`, also one that is suspended and that nobody has worked on since then. False for any other.
   */
  close(
    account: { id: string; username: string; leaseUntil: Date },
    sipDomain: string,
    suspendedBefore: Date | null = null,
  ): Promise<boolean> {
    return inTransaction(this.sql, async (transaction) => {
      const { count } = await transaction`
        UPDATE accounts SET status = 'deleting', lease_until = ${account.leaseUntil},
          email = NULL, email_verified_at = NULL, google_sub = NULL
        WHERE id = ${account.id} AND (status = 'active' OR ${suspendedBefore}::timestamptz IS NOT NULL
          AND status IN ('suspended', 'resuming') AND (lease_until IS NULL OR lease_until <= ${suspendedBefore}))`;
      // Not the second of two deletions: by now the name may belong to somebody else.
      if (count === 0) return false;
      await transaction`DELETE FROM sessions WHERE account_id = ${account.id}`;
      await transaction`DELETE FROM push_registrations WHERE account_id = ${account.id}`;
      await transaction`
        DELETE FROM kamailio.subscriber WHERE username = ${account.username} AND domain = ${sipDomain}`;
      // Kamailio is told too: these are the rows that it would find again if it fails to remove them.
      await transaction`
        DELETE FROM kamailio.location WHERE username = ${account.username} AND domain = ${sipDomain}`;
      return true;
    });
  }

  /** Takes over a row that a crash or a failed neighbour left unfinished in one of the statuses, the one that has waited longest. */
  async claimUnfinished(
    statuses: readonly AccountStatus[],
    now: Date,
    leaseUntil: Date,
  ): Promise<HeldAccount | undefined> {
    const [row] = await this.sql<HeldAccount[]>`
      UPDATE accounts SET lease_until = ${leaseUntil}
      WHERE id = (
        SELECT id FROM accounts
        WHERE status <> 'active' AND status = ANY(${statuses}::text[]) AND lease_until <= ${now}
        ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING id, username, status, lease_until`;
    return row;
  }

  /** Takes over this row, which is to go; undefined when somebody else works on it. */
  async claim(id: string, now: Date, leaseUntil: Date): Promise<HeldAccount | undefined> {
    const [row] = await this.sql<HeldAccount[]>`
      UPDATE accounts SET lease_until = ${leaseUntil}
      WHERE id = ${id} AND status IN ('pending', 'deleting') AND lease_until <= ${now}
      RETURNING id, username, status, lease_until`;
    return row;
  }

  /** Holds a row for longer; undefined when the lease was lost: somebody else works on it, or it is gone. */
  async renew({ id, lease_until }: AccountRow, leaseUntil: Date): Promise<HeldAccount | undefined> {
    const [row] = await this.sql<HeldAccount[]>`
      UPDATE accounts SET lease_until = ${leaseUntil}
      WHERE id = ${id} AND status <> 'active' AND lease_until = ${lease_until}
      RETURNING id, username, status, lease_until`;
    return row;
  }

  /**
   * Removes the row, and with it sessions and registrations; a use of an invite comes back. This frees the username,
   * unless it is retired: only with an account that was one, and in the same moment.
   */
  async remove(id: string, leaseUntil: Date, retired: RetiredName | null = null): Promise<void> {
    await this.sql`
      WITH removed AS (
        DELETE FROM accounts
        WHERE id = ${id} AND status IN ('pending', 'deleting') AND lease_until = ${leaseUntil}
        RETURNING status, invite_id
      ), retired AS (
        INSERT INTO retired_names (name_hash, retired_at)
        SELECT ${retired?.hash ?? null}::bytea, ${retired?.at ?? null}::timestamptz
        FROM removed WHERE status = 'deleting' AND ${retired !== null}
        ON CONFLICT (name_hash) DO UPDATE SET retired_at = excluded.retired_at
      )
      UPDATE invites SET used = used - 1 FROM removed WHERE invites.id = removed.invite_id`;
  }
}
