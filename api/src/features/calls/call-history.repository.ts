import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';
import { type CallEventKind, SEEN_BY_CALLER } from './call-event.js';
import type { CallDocument, CallEventDocument } from './calls.dto.js';

/** Calls when they are looked at, and forgotten. */
@Injectable()
export class CallHistoryRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** The newest calls of an account, or those before one of them. */
  async list(accountId: string, before: string | null, most: number): Promise<CallDocument[]> {
    const page = (party: 'caller_account_id' | 'callee_account_id') => this.sql`
      (SELECT c.* FROM calls c WHERE ${this.sql(party)} = ${accountId} AND (${before}::uuid IS NULL
          OR (started_at, id) < (SELECT started_at, id FROM calls WHERE id = ${before}))
        ORDER BY started_at DESC, id DESC LIMIT ${most})`;
    return this.sql<CallDocument[]>`
      SELECT ${this.document(accountId)} FROM (
        ${page('caller_account_id')} UNION ${page('callee_account_id')}) c
      ${this.peers(accountId)} ORDER BY started_at DESC, id DESC LIMIT ${most}`;
  }

  /** A call of an account, the newest if others have used the same Call-ID. */
  async find(accountId: string, callId: string): Promise<CallDocument | undefined> {
    const [row] = await this.sql<CallDocument[]>`
      SELECT ${this.document(accountId)} FROM calls c ${this.peers(accountId)}
      WHERE c.call_id = ${callId} AND ${accountId} IN (c.caller_account_id, c.callee_account_id)
      ORDER BY c.started_at DESC LIMIT 1`;
    return row;
  }

  /** What an account may see of a call, in its order. */
  async events(accountId: string, call: string): Promise<CallEventDocument[]> {
    return this.sql<CallEventDocument[]>`
      SELECT round(extract(epoch FROM e.at - c.started_at) * 1000, 1)::float8 AS ms, e.kind, e.at,
        CASE WHEN own THEN device_id END AS device_id, provider, result, CASE WHEN own THEN detail END AS detail, status
      FROM call_events e JOIN calls c ON c.id = e.call CROSS JOIN LATERAL (SELECT c.callee_account_id = ${accountId}) AS whose (own)
      WHERE e.call = ${call} AND (own OR e.kind = ANY(${[...SEEN_BY_CALLER] satisfies CallEventKind[]}))
      ORDER BY e.at, e.id`;
  }

  /** Up to `most` calls that nobody has any more, or that began before then. */
  async forget(before: Date | null, most: number): Promise<void> {
    await this.sql`
      DELETE FROM calls WHERE id IN (
        (SELECT id FROM calls WHERE caller_account_id IS NULL AND callee_account_id IS NULL LIMIT ${most})
        UNION ALL
        (SELECT id FROM calls WHERE known_at < ${before} LIMIT ${most}))`;
  }

  /** Calls of whose end nobody told: the call server was restarted. @returns how many */
  async giveUp(before: Date, now: Date, most: number): Promise<number> {
    const { count } = await this.sql`
      UPDATE calls SET outcome = 'unknown', ended_at = ${now} WHERE outcome IS NULL AND id IN (
        SELECT id FROM calls WHERE outcome IS NULL AND known_at < ${before} LIMIT ${most} FOR UPDATE SKIP LOCKED)`;
    return count;
  }

  private document(accountId: string) {
    return this.sql`
      c.id, c.call_id, CASE WHEN c.caller_account_id = ${accountId} THEN 'outgoing' ELSE 'incoming' END AS direction,
      coalesce(peer.username, c.unknown_name) AS peer,
      c.call_type AS type, c.started_at, c.answered_at, c.ended_at, c.outcome,
      round(extract(epoch FROM c.ended_at - c.answered_at), 1)::float8 AS duration_seconds`;
  }

  private peers(accountId: string) {
    return this.sql`
      LEFT JOIN accounts peer ON peer.id =
        CASE WHEN c.caller_account_id = ${accountId} THEN c.callee_account_id ELSE c.caller_account_id END`;
  }
}
