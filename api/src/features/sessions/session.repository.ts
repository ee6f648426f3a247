import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

/** A session that is about to be opened. */
export interface NewSession {
  id: string;
  accountId: string;
  refreshHash: Buffer;
  deviceId: string;
  deviceName: string | null;
  /** When the login began: a password that was changed since then opens nothing. */
  startedAt: Date;
  now: Date;
  expiresAt: Date;
}

/** One exchange of a refresh token. */
export interface Rotation {
  sessionId: string;
  hash: Buffer;
  nextHash: Buffer;
  salt: Buffer;
  now: Date;
  expiresAt: Date;
}

/** Whose session is refreshed. */
export interface Refreshed {
  accountId: string;
  accountNumber: number;
  username: string;
  deviceId: string;
}

/** A refresh token that was exchanged before, with the hash of the newest token of its session. */
export interface UsedToken extends Refreshed {
  usedAt: Date;
  salt: Buffer;
  newestHash: Buffer;
}

/** A session as its owner sees it. */
export interface SessionRow {
  id: string;
  device_id: string;
  device_name: string | null;
  created_at: Date;
  used_at: Date;
  expires_at: Date;
}

@Injectable()
export class SessionRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /**
   * Opens a session of an active account, in the place of an older one of the same device. The row of the account is
   * locked: a change of password, a suspension or a deletion at the same time comes before or after, never in between.
   * @returns the number of the account; undefined when it is not active, or its password has changed since the login began
   */
  async open(session: NewSession): Promise<number | undefined> {
    const [row] = await this.sql<{ number: number }[]>`
      WITH account AS (
        SELECT id, number FROM accounts
        WHERE id = ${session.accountId} AND status = 'active'
          AND (password_changed_at IS NULL OR password_changed_at <= ${session.startedAt})
        FOR SHARE
      ), replaced AS (
        DELETE FROM sessions USING account
        WHERE sessions.account_id = account.id AND sessions.device_id = ${session.deviceId}
      )
      INSERT INTO sessions
        (id, account_id, refresh_hash, device_id, device_name, created_at, used_at, authenticated_at, expires_at)
      SELECT ${session.id}, id, ${session.refreshHash}, ${session.deviceId}, ${session.deviceName},
        ${session.now}, ${session.now}, ${session.now}, ${session.expiresAt}
      FROM account
      RETURNING (SELECT number FROM account)`;
    return row?.number;
  }

  /** Exchanges the newest refresh token of a session; undefined when it is not the newest, or the session has ended. */
  async rotate({ sessionId, hash, nextHash, salt, now, expiresAt }: Rotation): Promise<Refreshed | undefined> {
    const [row] = await this.sql<Refreshed[]>`
      WITH rotated AS (
        UPDATE sessions s SET refresh_hash = ${nextHash}, used_at = ${now}, expires_at = ${expiresAt}
        FROM accounts a
        WHERE s.id = ${sessionId} AND s.refresh_hash = ${hash} AND s.expires_at > ${now}
          AND a.id = s.account_id AND a.status = 'active'
        RETURNING s.id, a.id AS "accountId", a.number AS "accountNumber", a.username, s.device_id AS "deviceId"
      ), noted AS (
        INSERT INTO used_refresh_tokens (token_hash, session_id, salt, used_at)
        SELECT ${hash}, id, ${salt}, ${now} FROM rotated
      )
      SELECT "accountId", "accountNumber", username, "deviceId" FROM rotated`;
    return row;
  }

  /** A refresh token of a living session that was exchanged before. */
  async findUsed(sessionId: string, hash: Buffer, now: Date): Promise<UsedToken | undefined> {
    const [row] = await this.sql<UsedToken[]>`
      SELECT u.used_at AS "usedAt", u.salt, s.refresh_hash AS "newestHash",
        a.id AS "accountId", a.number AS "accountNumber", a.username, s.device_id AS "deviceId"
      FROM used_refresh_tokens u JOIN sessions s ON s.id = u.session_id JOIN accounts a ON a.id = s.account_id
      WHERE u.token_hash = ${hash} AND u.session_id = ${sessionId} AND s.expires_at > ${now} AND a.status = 'active'`;
    return row;
  }

  /** The sessions that have not expired, the last used first. */
  async list(accountId: string, now: Date): Promise<SessionRow[]> {
    return this.sql<SessionRow[]>`
      SELECT id, device_id, device_name, created_at, used_at, expires_at FROM sessions
      WHERE account_id = ${accountId} AND expires_at > ${now} ORDER BY used_at DESC, id`;
  }

  /** When the session's owner last proved who he is; undefined when it has ended. */
  async authenticatedAt(id: string): Promise<Date | undefined> {
    const [row] = await this.sql<{ at: Date }[]>`SELECT authenticated_at AS at FROM sessions WHERE id = ${id}`;
    return row?.at;
  }

  /** A session that was opened without a device gets the one that its client turns out to be. */
  async nameDevice(id: string, deviceId: string): Promise<void> {
    await this.sql`UPDATE sessions SET device_id = ${deviceId} WHERE id = ${id} AND device_id = id::text`;
  }

  /** The device of a session whose account is active; undefined when there is no such session. */
  async deviceOf(id: string): Promise<string | undefined> {
    const [row] = await this.sql<{ device: string }[]>`
      SELECT s.device_id AS device FROM sessions s JOIN accounts a ON a.id = s.account_id
      WHERE s.id = ${id} AND a.status = 'active'`;
    return row?.device;
  }

  /** Removes at most `most` sessions whose refresh tokens have expired, and as many used tokens as old as that. */
  async removeExpired(now: Date, usedBefore: Date, most: number): Promise<void> {
    await this.sql`
      DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < ${now} LIMIT ${most})`;
    await this.sql`
      DELETE FROM used_refresh_tokens WHERE token_hash IN (
        SELECT token_hash FROM used_refresh_tokens WHERE used_at < ${usedBefore} LIMIT ${most})`;
  }
}
