import { Inject, Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';

/** What has to end: the streams, registrations and pushes of one device, or of all but one, or of all. */
export interface EndingRow {
  id: string;
  accountId: string;
  username: string;
  deviceId: string | null;
  keptDeviceId: string | null;
  /** Somebody has logged in on the device again: what runs there is not the old session's any more. */
  reopened: boolean;
}

/** A SIP registration, as Kamailio keeps it. */
export interface ContactRow {
  contact: string;
  instance: string | null;
}

/** Ends sessions. That what belongs to them has to end as well is written in the same statement, so no crash loses it. */
@Injectable()
export class SessionEndingRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** Ends one session of an account; undefined when there is no such session. */
  async end(accountId: string, sessionId: string, dueAt: Date): Promise<EndingRow | undefined> {
    const [row] = await this.sql<EndingRow[]>`
      WITH ended AS (
        DELETE FROM sessions WHERE id = ${sessionId} AND account_id = ${accountId} RETURNING account_id, device_id
      ), noted AS (
        INSERT INTO session_endings (id, account_id, device_id, due_at)
        SELECT ${newId()}, account_id, device_id, ${dueAt} FROM ended RETURNING id, account_id, device_id
      )
      SELECT noted.id, a.id AS "accountId", a.username, device_id AS "deviceId", NULL AS "keptDeviceId", false AS reopened
      FROM noted JOIN accounts a ON a.id = noted.account_id`;
    return row;
  }

  /** Ends all sessions of a device, of which there may be none; undefined when there is no such account. */
  async endDevice(accountId: string, deviceId: string, dueAt: Date): Promise<EndingRow | undefined> {
    const [row] = await this.sql<EndingRow[]>`
      WITH ended AS (
        DELETE FROM sessions WHERE account_id = ${accountId} AND device_id = ${deviceId}
      ), noted AS (
        INSERT INTO session_endings (id, account_id, device_id, due_at)
        SELECT ${newId()}, id, ${deviceId}, ${dueAt} FROM accounts WHERE id = ${accountId}
        RETURNING id, account_id, device_id
      )
      SELECT noted.id, a.id AS "accountId", a.username, device_id AS "deviceId", NULL AS "keptDeviceId", false AS reopened
      FROM noted JOIN accounts a ON a.id = noted.account_id`;
    return row;
  }

  /** Ends all sessions of an account but one; undefined when there is no such account. */
  async endOthers(
    accountId: string,
    keptSessionId: string | null,
    dueAt: Date,
    sql: Queries = this.sql,
  ): Promise<EndingRow | undefined> {
    const [row] = await sql<EndingRow[]>`
      WITH kept AS (
        SELECT device_id FROM sessions WHERE id = ${keptSessionId} AND account_id = ${accountId}
      ), ended AS (
        DELETE FROM sessions WHERE account_id = ${accountId} AND id IS DISTINCT FROM ${keptSessionId}
      ), noted AS (
        INSERT INTO session_endings (id, account_id, kept_device_id, due_at)
        SELECT ${newId()}, id, (SELECT device_id FROM kept), ${dueAt} FROM accounts WHERE id = ${accountId}
        RETURNING id, account_id, kept_device_id
      )
      SELECT noted.id, a.id AS "accountId", a.username, NULL AS "deviceId", kept_device_id AS "keptDeviceId",
        false AS reopened
      FROM noted JOIN accounts a ON a.id = noted.account_id`;
    return row;
  }

  /** Takes up the ending that has waited longest; undefined when none is due. */
  async claimDue(now: Date, dueAt: Date): Promise<EndingRow | undefined> {
    const [row] = await this.sql<EndingRow[]>`
      UPDATE session_endings e SET due_at = ${dueAt} FROM accounts a
      WHERE e.id = (
          SELECT id FROM session_endings WHERE due_at <= ${now} ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        AND a.id = e.account_id
      RETURNING e.id, e.account_id AS "accountId", a.username, e.device_id AS "deviceId",
        e.kept_device_id AS "keptDeviceId",
        EXISTS (SELECT FROM sessions s WHERE s.account_id = a.id AND s.device_id = e.device_id) AS reopened`;
    return row;
  }

  async postpone(id: string, dueAt: Date): Promise<void> {
    await this.sql`UPDATE session_endings SET due_at = ${dueAt} WHERE id = ${id}`;
  }

  async remove(id: string): Promise<void> {
    await this.sql`DELETE FROM session_endings WHERE id = ${id}`;
  }

  async contactsOf(username: string, sipDomain: string): Promise<ContactRow[]> {
    return this.sql<ContactRow[]>`
      SELECT contact, instance FROM kamailio.location WHERE username = ${username} AND domain = ${sipDomain}`;
  }
}
