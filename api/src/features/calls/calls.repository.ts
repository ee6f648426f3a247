import { Inject, Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';
import type { PushOutcome } from '../push/push-notification.js';
import { type CallOutcome, type CallType, outcomeOf, type SipEvent } from './call-event.js';

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
  registrations: number;
}

/** An event, and the time by our clock that it had then. */
export type ReceivedEvent = SipEvent & { receivedAt: Date };

/** What events have changed about a call. */
export interface CallChange {
  id: string;
  before: CallOutcome | null;
  outcome: CallOutcome | null;
}

export interface Recorded {
  /** How many events were of a call of somebody here, known already or not. */
  found: number;
  events: { kind: string; secondsAfterStart: number; first: boolean }[];
  changes: CallChange[];
}

/** A call that is over, and what its devices are to know. */
export interface EndedCall {
  callId: string;
  calleeAccountId: string;
  outcome: CallOutcome;
}

interface CallRow {
  id: string;
  callId: string;
  callerAccountId: string | null;
  calleeAccountId: string | null;
}

type Accounts = ReadonlyMap<string, string>;

/** The account that an event is about; what concerns devices is the callee's. */
const ABOUT_DEVICES: readonly string[] = ['registered', 'invited', 'ringing', 'answered'];

/** Calls while they happen: who tells of them may repeat itself, and mix up the order. */
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
        false AS over, (SELECT count(*)::int FROM push_registrations
          WHERE account_id = callee.id AND callee.status = 'active') AS registrations
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
        (SELECT count(*)::int FROM push_registrations p JOIN parties a ON a.id = p.account_id
          WHERE p.account_id = claimed.callee_account_id AND a.status = 'active') AS registrations
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

  /** Notes events, those that are new, and brings their calls to what all events of them say. */
  async record(events: readonly ReceivedEvent[]): Promise<Recorded> {
    return inTransaction(this.sql, async (queries) => {
      const accounts = await this.accounts(queries, events);
      await this.open(queries, events, accounts);
      const calls = await this.callsOf(queries, events, accounts);
      const found = events.flatMap((event) => {
        const call = calls.find((one) => isOf(event, one, accounts));
        return call ? [{ ...event, call }] : [];
      });
      if (found.length === 0) return { found: 0, events: [], changes: [] };
      const added = await this.add(queries, found);
      const changes = await this.bringUpToDate(queries, [...new Set(found.map(({ call }) => call.id))]);
      return { found: found.length, events: added, changes };
    });
  }

  private async accounts(queries: Queries, events: readonly SipEvent[]): Promise<Accounts> {
    const names = [...new Set(events.flatMap(({ from, to }) => [from, to]))];
    const rows = await queries<{ id: string; username: string }[]>`
      SELECT id, username FROM accounts WHERE domain = ${this.domain} AND username = ANY(${names})`;
    return new Map(rows.map(({ id, username }) => [username, id]));
  }

  /** The first event of a call may be any but its end by either party: that one does not tell who has called. */
  private async open(queries: Queries, events: readonly ReceivedEvent[], accounts: Accounts): Promise<void> {
    const rows = new Map<string, object>();
    for (const { kind, callId, from, to, callType, at, receivedAt } of events.toSorted(
      (a, b) => a.seconds - b.seconds,
    )) {
      const caller = accounts.get(from);
      const key = `${caller} ${callId}`;
      if (kind === 'hung_up' || caller === undefined || (rows.has(key) && callType === null)) continue;
      const callee = accounts.get(to) ?? null;
      const parties = { caller, callee, unknownName: callee === null ? to : null };
      rows.set(key, {
        at,
        receivedAt,
        ...rows.get(key),
        id: newId(),
        callId,
        ...parties,
        callType: callType ?? 'audio',
      });
    }
    if (rows.size === 0) return;
    await queries`
      INSERT INTO calls AS c (id, call_id, caller_account_id, callee_account_id, unknown_name, call_type, started_at, known_at)
      SELECT id, "callId", caller, callee, "unknownName", "callType", at, "receivedAt"
      FROM jsonb_to_recordset(${queries.json([...rows.values()] as never)}) AS event (id uuid, "callId" text, caller uuid,
        callee uuid, "unknownName" text, "callType" text, at timestamptz, "receivedAt" timestamptz)
      ORDER BY caller, "callId"
      ON CONFLICT (caller_account_id, call_id) DO UPDATE SET
        call_type = greatest(c.call_type, excluded.call_type),
        started_at = least(c.started_at, excluded.started_at), known_at = least(c.known_at, excluded.known_at)`;
  }

  private async callsOf(queries: Queries, events: readonly SipEvent[], accounts: Accounts): Promise<CallRow[]> {
    const callIds = [...new Set(events.map(({ callId }) => callId))];
    const parties = [...accounts.values()];
    return queries<CallRow[]>`
      SELECT id, call_id AS "callId", caller_account_id AS "callerAccountId", callee_account_id AS "calleeAccountId"
      FROM calls WHERE call_id = ANY(${callIds})
        AND (caller_account_id = ANY(${parties}::uuid[]) OR callee_account_id = ANY(${parties}::uuid[]))
      ORDER BY id FOR UPDATE`;
  }

  /** A device is known by its instance (RFC 5626) or by the token in its contact (RFC 8599), if it is registered for push. */
  private async add(queries: Queries, events: readonly (ReceivedEvent & { call: CallRow })[]) {
    const rows = events.map(({ call, kind, contact, status, at, receivedAt }) => ({
      ...{ call: call.id, account: ABOUT_DEVICES.includes(kind) ? call.calleeAccountId : null },
      ...{ kind, contact, status, result: kind === 'ended' ? outcomeOf(status ?? 0) : null, at, receivedAt },
    }));
    return queries<{ kind: string; secondsAfterStart: number; first: boolean }[]>`
      INSERT INTO call_events AS added (call, account_id, kind, contact, device_id, status, result, at, received_at)
      SELECT event.call, event.account, event.kind, event.contact, device.id, event.status, event.result, event.at,
        event."receivedAt"
      FROM jsonb_to_recordset(${queries.json(rows as never)}) AS event (call uuid, account uuid, kind text, contact text,
        status int, result text, at timestamptz, "receivedAt" timestamptz)
      LEFT JOIN LATERAL (
        SELECT p.device_uuid AS id FROM kamailio.location l JOIN push_registrations p ON p.account_id = event.account
        WHERE l.ruid = event.contact AND (
          lower(trim(BOTH '<>"' FROM l.instance)) IN (lower(p.device_uuid), 'urn:uuid:' || lower(p.device_uuid))
          OR substring(l.contact FROM 'pn-prid=([^;>]+)') = p.push_token)
        LIMIT 1) device ON event.contact <> ''
      ON CONFLICT (call, kind, contact, at) WHERE kind NOT IN ('push', 'push_limited', 'end_push') DO NOTHING
      RETURNING kind, (SELECT extract(epoch FROM added.at - c.started_at)::float8 FROM calls c WHERE c.id = added.call)
        AS "secondsAfterStart",
        NOT EXISTS (SELECT FROM call_events e WHERE e.call = added.call AND e.kind = added.kind) AS first`;
  }

  /** An answer counts more than any other end, whichever was told first: they may cross. */
  private async bringUpToDate(queries: Queries, calls: readonly string[]): Promise<CallChange[]> {
    return queries<CallChange[]>`
      WITH told AS (
        SELECT call, min(at) FILTER (WHERE kind = 'answered') AS answered_at,
          min(at) FILTER (WHERE kind = 'hung_up') AS hung_up_at, min(at) FILTER (WHERE kind = 'ended') AS ended_at,
          (array_agg(result ORDER BY at) FILTER (WHERE kind = 'ended'))[1] AS result
        FROM call_events WHERE call = ANY(${calls}::uuid[]) GROUP BY call
      ), news AS (
        SELECT c.id, c.outcome AS before, coalesce(c.answered_at, told.answered_at, told.hung_up_at) AS answered_at,
          told.hung_up_at, coalesce(told.ended_at, c.ended_at) AS ended_at, coalesce(told.result, c.outcome) AS result
        FROM calls c JOIN told ON told.call = c.id
      )
      UPDATE calls c SET
        answered_at = news.answered_at,
        outcome = CASE WHEN news.answered_at IS NULL THEN news.result ELSE 'answered' END,
        ended_at = CASE WHEN news.answered_at IS NULL THEN news.ended_at ELSE news.hung_up_at END
      FROM news WHERE c.id = news.id
      RETURNING c.id, news.before, c.outcome`;
  }
}

function isOf({ kind, callId, from, to }: SipEvent, call: CallRow, accounts: Accounts): boolean {
  const [one, other] = [accounts.get(from), accounts.get(to)];
  if (call.callId !== callId || one === undefined) return false;
  if (call.callerAccountId === one && (call.calleeAccountId ?? undefined) === other) return true;
  return kind === 'hung_up' && call.calleeAccountId === one && call.callerAccountId === other;
}
