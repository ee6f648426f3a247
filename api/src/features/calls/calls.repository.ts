import { Inject, Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { CONFIG, type Config } from '../../config/config.js';
import { SQL, type Sql } from '../../database/database.module.js';
import type { PushPlatform } from '../push/push.dto.js';
import type { PushOutcome } from '../push/push-notification.js';
import type { CallOutcome, CallType } from './call-event.js';

/** A call as it is told when it begins. */
export interface NewCall {
  caller: string;
  callee: string;
  callId: string;
  callType: CallType;
  /** By the call server's clock (RFC 3339, with microseconds), and the same moment by ours. */
  startedAt: string;
  knownAt: Date;
}

/** A call whose devices nobody has pushed yet. */
export interface ClaimedCall {
  id: string;
  callerAccountId: string | null;
  calleeAccountId: string | null;
  /** It was over before this was known. */
  over: boolean;
  /** Of each device that is registered for push. */
  platforms: PushPlatform[];
}

/** A call that is over, and what its devices are to know. */
export interface EndedCall {
  callId: string;
  calleeAccountId: string;
  outcome: CallOutcome;
}

/** What is done about a call: its devices are pushed, once, and told of its end. */
@Injectable()
export class CallsRepository {
  private readonly domain: string;

  constructor(
    @Inject(SQL) private readonly sql: Sql,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
  }

  /** Notes a call and takes it over for pushing. `repeated`: somebody has; undefined: both its parties are unknown. */
  async claim(call: NewCall, now: Date): Promise<ClaimedCall | 'repeated' | undefined> {
    return (await this.claimOfAccount(call, now)) ?? (await this.claimOfStranger(call, now));
  }

  private async claimOfStranger(call: NewCall, now: Date): Promise<ClaimedCall | 'repeated' | undefined> {
    const [row] = await this.sql<(ClaimedCall & { claimed: boolean })[]>`
      WITH callee AS (SELECT id, status FROM accounts WHERE domain = ${this.domain} AND username = ${call.callee}),
      claimed AS (
        INSERT INTO calls (id, call_id, callee_account_id, unknown_name, call_type, started_at, known_at, notified_at)
        SELECT ${newId()}, ${call.callId}, id, ${call.caller}, ${call.callType}, ${call.startedAt}::text::timestamptz,
          ${call.knownAt}, ${now}
        FROM callee ON CONFLICT (callee_account_id, call_id) WHERE unknown_name IS NOT NULL DO NOTHING
        RETURNING id
      )
      SELECT claimed.id IS NOT NULL AS claimed, claimed.id, NULL AS "callerAccountId", callee.id AS "calleeAccountId",
        false AS over, ARRAY(SELECT platform FROM push_registrations
          WHERE account_id = callee.id AND callee.status = 'active') AS platforms
      FROM callee LEFT JOIN claimed ON true`;
    return row && (row.claimed ? row : 'repeated');
  }

  private async claimOfAccount(call: NewCall, now: Date): Promise<ClaimedCall | 'repeated' | undefined> {
    const [row] = await this.sql<(ClaimedCall & { claimed: boolean })[]>`
      WITH parties AS (
        SELECT id, username, status FROM accounts, ${this.withoutWaiting()}
        WHERE domain = ${this.domain} AND username IN (${call.caller}, ${call.callee})
      ), claimed AS (
        INSERT INTO calls AS c (id, call_id, caller_account_id, callee_account_id, unknown_name, call_type,
          started_at, known_at, notified_at)
        SELECT ${newId()}, ${call.callId}, caller.id, callee.id, CASE WHEN callee.id IS NULL THEN ${call.callee} END,
          ${call.callType}, ${call.startedAt}::text::timestamptz, ${call.knownAt}, ${now}
        FROM parties caller LEFT JOIN parties callee ON callee.username = ${call.callee}
        WHERE caller.username = ${call.caller}
        ON CONFLICT (caller_account_id, call_id) DO UPDATE SET notified_at = excluded.notified_at,
          call_type = greatest(c.call_type, excluded.call_type),
          started_at = least(c.started_at, excluded.started_at), known_at = least(c.known_at, excluded.known_at)
        WHERE c.notified_at IS NULL
        RETURNING c.id, c.callee_account_id, c.outcome
      )
      SELECT claimed.id IS NOT NULL AS claimed, claimed.id, caller.id AS "callerAccountId",
        claimed.callee_account_id AS "calleeAccountId", claimed.outcome IS NOT NULL AS over,
        ARRAY(SELECT p.platform FROM push_registrations p JOIN parties a ON a.id = p.account_id
          WHERE p.account_id = claimed.callee_account_id AND a.status = 'active') AS platforms
      FROM parties caller LEFT JOIN claimed ON true WHERE caller.username = ${call.caller}`;
    return row && (row.claimed ? row : 'repeated');
  }

  /** Notes that a call is beyond a limit, so that nobody is pushed. */
  async noteLimit(call: string, accountId: string | null, detail: string, now: Date): Promise<void> {
    await this.sql`
      INSERT INTO call_events (call, account_id, kind, detail, at, received_at)
      SELECT id, ${accountId}, 'push_limited', ${detail}, started_at + (${now}::timestamptz - known_at), ${now}
      FROM calls WHERE id = ${call}`;
  }

  /** Notes what became of pushes. @returns whether the call is over already */
  async notePushes(
    kind: 'push' | 'end_push',
    call: string,
    accountId: string,
    outcomes: readonly PushOutcome[],
  ): Promise<boolean> {
    const rows = outcomes.map(({ deviceId, provider, result, detail, at }) => ({
      deviceId,
      provider,
      result,
      detail,
      at,
    }));
    const [updated] = await this.sql<{ over: boolean }[]>`
      WITH noted AS (
        INSERT INTO call_events (call, account_id, kind, device_id, provider, result, detail, at, received_at)
        SELECT c.id, a.id, ${kind}, o."deviceId", o.provider, o.result, o.detail,
          c.started_at + (o.at - c.known_at), o.at
        FROM ${this.withoutWaiting()} CROSS JOIN calls c CROSS JOIN accounts a CROSS JOIN jsonb_to_recordset(${this.sql.json(rows)})
          AS o ("deviceId" text, provider text, result text, detail text, at timestamptz)
        WHERE c.id = ${call} AND a.id = ${accountId}
      )
      UPDATE calls SET pushed_at = coalesce(pushed_at, now()) WHERE id = ${call} RETURNING outcome IS NOT NULL AS over`;
    return updated?.over ?? false;
  }

  /**
   * For the statement that has it in its FROM: its commit does not wait for the disk. A power cut may take the last
   * half a second of what nobody was promised; the phones of a call don't wait for a disk.
   */
  private withoutWaiting() {
    return this.sql`(SELECT set_config('synchronous_commit', 'off', true)) AS without_waiting`;
  }

  /** Takes a call that is over, and whose pushes are known, so that its devices are told once; undefined if there is none to tell. */
  async claimEnd(call: string, now: Date): Promise<EndedCall | undefined> {
    const [row] = await this.sql<EndedCall[]>`
      UPDATE calls SET end_told_at = ${now}
      WHERE id = ${call} AND outcome IS NOT NULL AND pushed_at IS NOT NULL AND end_told_at IS NULL
        AND callee_account_id IS NOT NULL
      RETURNING call_id AS "callId", callee_account_id AS "calleeAccountId", outcome`;
    return row;
  }

  /** Devices that were pushed and that no INVITE is known to have reached: those others learn of the end over SIP. */
  async devicesToTell(call: string): Promise<string[]> {
    const rows = await this.sql<{ id: string }[]>`
      SELECT DISTINCT device_id AS id FROM call_events pushed
      WHERE call = ${call} AND kind = 'push' AND result = 'accepted' AND NOT EXISTS (
        SELECT FROM call_events reached
        WHERE reached.call = pushed.call AND reached.kind = 'invited' AND reached.device_id = pushed.device_id)`;
    return rows.map(({ id }) => id);
  }
}
