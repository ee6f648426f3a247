import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';
import { readingsOf } from '../account/login-name.js';
import type { MailKind } from './mail-texts.js';

export interface MailRow {
  id: string;
  kind: MailKind;
  accountId: string | null;
  /** An address, or without an account what was typed in its place. */
  recipient: string;
  attempts: number;
  expiresAt: Date;
}

/** An account, and the address that mails about it go to. */
export interface Found {
  accountId: string;
  email: string;
}

/** The account that a mail is about. */
export interface Addressee {
  id: string;
  username: string;
  domain: string;
  status: string;
}

/** Mails that an address has got within some time; `own` are those about one account. */
export interface Sent {
  total: number;
  own: number;
  lastOwn: Date | null;
}

@Injectable()
export class OutboxRepository {
  private readonly domain: string;

  constructor(
    @Inject(SQL) private readonly sql: Sql,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
  }

  async add({ id, kind, accountId, recipient, expiresAt }: Omit<MailRow, 'attempts'>, now: Date): Promise<void> {
    await this.sql`
      INSERT INTO mails (id, kind, account_id, recipient, next_try_at, expires_at)
      VALUES (${id}, ${kind}, ${accountId}, ${recipient}, ${now}, ${expiresAt})`;
  }

  /** Takes the mail that has waited longest; it is taken again after `leaseUntil` unless something happens to it. */
  async claim(now: Date, leaseUntil: Date): Promise<MailRow | undefined> {
    const [row] = await this.sql<MailRow[]>`
      UPDATE mails SET next_try_at = ${leaseUntil}, attempts = attempts + 1
      WHERE id = (
        SELECT id FROM mails WHERE sent_at IS NULL AND next_try_at <= ${now} AND expires_at > ${now}
        ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING id, kind, account_id AS "accountId", recipient, attempts, expires_at AS "expiresAt"`;
    return row;
  }

  /**
   * A mail turns out to be for this account and address: it takes the place of others of its kind that still wait.
   * False when one of them took its place meanwhile.
   */
  assign({ id, kind }: Pick<MailRow, 'id' | 'kind'>, accountId: string, recipient: string): Promise<boolean> {
    return inTransaction(this.sql, async (transaction) => {
      const { count } = await transaction`
        UPDATE mails SET account_id = ${accountId}, recipient = ${recipient} WHERE id = ${id}`;
      if (count === 0) return false;
      await transaction`
        DELETE FROM mails WHERE account_id = ${accountId} AND kind = ${kind} AND sent_at IS NULL AND id <> ${id}`;
      return true;
    });
  }

  /** The account that somebody means by what he typed, and the address that it has proved; undefined without either. */
  async findProved(typed: string): Promise<Found | undefined> {
    const { username, email } = readingsOf(typed, this.domain);
    const [row] = await this.sql<Found[]>`
      SELECT id AS "accountId", email FROM accounts
      WHERE (username = ${username} OR email = ${email}) AND domain = ${this.domain}
        AND status = 'active' AND email_verified_at IS NOT NULL
      ORDER BY username = ${username} DESC NULLS LAST LIMIT 1`;
    return row;
  }

  async addressee(accountId: string): Promise<Addressee | undefined> {
    const [row] = await this.sql<Addressee[]>`
      SELECT id, username, domain, status FROM accounts WHERE id = ${accountId}`;
    return row;
  }

  /** What the address has got of this kind since then: in all, about this account, and when the last one. */
  async sentSince(since: Date, kind: MailKind, accountId: string, recipient: string): Promise<Sent> {
    const [row] = await this.sql<[Sent]>`
      SELECT count(*)::integer AS total, count(*) FILTER (WHERE account_id = ${accountId})::integer AS own,
        max(sent_at) FILTER (WHERE account_id = ${accountId}) AS "lastOwn"
      FROM mails WHERE recipient = ${recipient} AND kind = ${kind} AND sent_at > ${since}`;
    return row;
  }

  /** The mail was sent; its row stays until `keepUntil`, to be counted. */
  async markSent(id: string, now: Date, keepUntil: Date): Promise<void> {
    await this.sql`UPDATE mails SET sent_at = ${now}, expires_at = ${keepUntil} WHERE id = ${id}`;
  }

  async postpone(id: string, until: Date): Promise<void> {
    await this.sql`UPDATE mails SET next_try_at = ${until} WHERE id = ${id}`;
  }

  async remove(id: string): Promise<void> {
    await this.sql`DELETE FROM mails WHERE id = ${id}`;
  }

  /** Removes at most `most` mails whose time is over. @returns how many of them were never sent */
  async removeExpired(now: Date, most: number): Promise<number> {
    const rows = await this.sql<{ unsent: boolean }[]>`
      DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE expires_at <= ${now} LIMIT ${most})
      RETURNING sent_at IS NULL AS unsent`;
    return rows.filter(({ unsent }) => unsent).length;
  }
}
