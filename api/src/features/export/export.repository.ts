import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';
import { SEEN_BY_CALLER } from '../calls/call-event.js';

export interface ExportedAccount {
  id: string;
  username: string;
  domain: string;
  email: string | null;
  email_verified_at: Date | null;
  google_sub: string | null;
  has_password: boolean;
  password_changed_at: Date | null;
  created_at: Date;
}

/** Rows of one table, by the key that the next page goes on after. */
export interface Keyed {
  key: string;
}

/**
 * What the tables hold of one account, whichever feature wrote it: an export has to name every column, and reads only.
 * Long lists come page by page, each after the last key of the one before.
 */
@Injectable()
export class ExportRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async account(id: string): Promise<ExportedAccount | undefined> {
    const [row] = await this.sql<ExportedAccount[]>`
      SELECT id, username, domain, email, email_verified_at, google_sub, has_password, password_changed_at, created_at
      FROM accounts WHERE id = ${id} AND status = 'active'`;
    return row;
  }

  /** Without the hashes of refresh tokens. */
  async sessions(accountId: string, after: string, most: number): Promise<Keyed[]> {
    return this.sql<Keyed[]>`
      SELECT id::text AS key, id, device_id, device_name, created_at, used_at AS last_used_at, authenticated_at, expires_at
      FROM sessions WHERE account_id = ${accountId} AND id::text > ${after} ORDER BY id::text LIMIT ${most}`;
  }

  /** A token wakes a device: whoever gets hold of an export can't. */
  async pushRegistrations(accountId: string, after: string, most: number): Promise<Keyed[]> {
    return this.sql<Keyed[]>`
      SELECT device_uuid AS key, device_uuid AS device_id, platform, app_id, environment, registered_at,
        left(encode(sha256(convert_to(push_token, 'UTF8')), 'hex'), 16) AS push_token_fingerprint,
        left(encode(sha256(convert_to(alert_token, 'UTF8')), 'hex'), 16) AS alert_token_fingerprint
      FROM push_registrations WHERE account_id = ${accountId} AND device_uuid > ${after}
      ORDER BY device_uuid LIMIT ${most}`;
  }

  async devices(accountId: string, after: string, most: number): Promise<Keyed[]> {
    return this.sql<Keyed[]>`
      SELECT id AS key, id, name, kind AS type, public_key, key_proven_at, created_at, last_seen_at
      FROM devices WHERE account_id = ${accountId} AND id > ${after} ORDER BY id LIMIT ${most}`;
  }

  async contacts(accountId: string, after: string, most: number): Promise<Keyed[]> {
    return this.sql<Keyed[]>`
      SELECT a.username AS key, a.username || '@' || a.domain AS jid, c.since
      FROM contacts c JOIN accounts a ON a.id = c.contact_id
      WHERE c.account_id = ${accountId} AND a.username > ${after} ORDER BY a.username LIMIT ${most}`;
  }

  async groups(accountId: string, roomDomain: string, after: string, most: number): Promise<Keyed[]> {
    return this.sql<Keyed[]>`
      SELECT g.id::text AS key, g.id AS group_id, g.id || '@' || ${roomDomain} AS jid, g.name, m.role, m.joined_at
      FROM group_members m JOIN groups g ON g.id = m.group_id
      WHERE m.account_id = ${accountId} AND g.status = 'active' AND g.id::text > ${after}
      ORDER BY g.id::text LIMIT ${most}`;
  }

  /** Kamailio writes times in UTC (kamailio/entrypoint.sh). */
  async sipRegistrations(username: string, sipDomain: string, after: string, most: number): Promise<Keyed[]> {
    return this.sql<Keyed[]>`
      SELECT ruid AS key, contact, received, user_agent, instance, expires AT TIME ZONE 'UTC' AS expires_at
      FROM kamailio.location WHERE username = ${username} AND domain = ${sipDomain} AND ruid > ${after}
      ORDER BY ruid LIMIT ${most}`;
  }

  /** That there are such codes; nobody knows them but whom they were sent to. */
  async oneTimeCodes(accountId: string): Promise<object[]> {
    return this.sql<object[]>`
      SELECT purpose, email, expires_at FROM account_codes WHERE account_id = ${accountId} ORDER BY purpose`;
  }

  /** Of a call that the account has made, no more than its phone was told: the devices are the other's. */
  async calls(accountId: string, after: string, most: number): Promise<Keyed[]> {
    return this.sql<Keyed[]>`
      SELECT c.id::text AS key, c.call_id, CASE WHEN outgoing THEN 'outgoing' ELSE 'incoming' END AS direction,
        coalesce(peer.username, c.unknown_name) AS peer, c.call_type AS type,
        c.started_at, c.answered_at, c.ended_at, c.outcome, (
          SELECT coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'at', at,
            'device_id', CASE WHEN own THEN device_id END, 'provider', provider, 'result', result,
            'detail', CASE WHEN own THEN detail END, 'status', status) ORDER BY at), '[]')
          FROM call_events WHERE call = c.id AND (own OR kind = ANY(${[...SEEN_BY_CALLER]}))) AS events
      FROM calls c CROSS JOIN LATERAL (SELECT c.caller_account_id IS NOT DISTINCT FROM ${accountId}::uuid AS outgoing,
        c.callee_account_id IS NOT DISTINCT FROM ${accountId}::uuid AS own) AS side
      LEFT JOIN accounts peer ON peer.id = CASE WHEN side.outgoing THEN c.callee_account_id ELSE c.caller_account_id END
      WHERE (outgoing OR own) AND c.id::text > ${after} ORDER BY c.id::text LIMIT ${most}`;
  }

  async pairings(accountId: string, after: string, most: number): Promise<Keyed[]> {
    return this.sql<Keyed[]>`
      SELECT id::text AS key, id, host_device_id, client_device_id, created_at FROM pairings
      WHERE account_id = ${accountId} AND id::text > ${after} ORDER BY id::text LIMIT ${most}`;
  }

  async mails(accountId: string, after: string, most: number): Promise<Keyed[]> {
    return this.sql<Keyed[]>`
      SELECT id::text AS key, kind, recipient, sent_at, expires_at FROM mails
      WHERE account_id = ${accountId} AND id::text > ${after} ORDER BY id::text LIMIT ${most}`;
  }
}
