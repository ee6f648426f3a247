import { Inject, Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';
import { type CallOutcome, outcomeOf, type SipEvent } from './call-event.js';

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
export class CallEventsRepository {
  private readonly domain: string;

  constructor(
    @Inject(SQL) private readonly sql: Sql,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
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
        WHERE l.ruid = event.contact
          AND lower(trim(BOTH '<>"' FROM l.instance)) IN (lower(p.device_uuid), 'urn:uuid:' || lower(p.device_uuid))
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
