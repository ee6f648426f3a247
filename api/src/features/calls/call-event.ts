import { isCleanText } from '../../http/fields.js';

/** How a call ended; `unknown` when nobody told. An answered one may still be going on. */
export const CALL_OUTCOMES = ['answered', 'missed', 'cancelled', 'declined', 'busy', 'failed', 'unknown'] as const;
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

export const CALL_TYPES = ['audio', 'video'] as const;
export type CallType = (typeof CALL_TYPES)[number];

/** What the call server tells of. */
const SIP_EVENTS = ['invite', 'held', 'registered', 'invited', 'ringing', 'answered', 'ended', 'hung_up'] as const;
export type SipEventKind = (typeof SIP_EVENTS)[number];

/** What else a trace has: pushes, and why there were none. */
export const CALL_EVENTS = [...SIP_EVENTS, 'push', 'push_limited', 'end_push'] as const;
export type CallEventKind = (typeof CALL_EVENTS)[number];

/** What the caller's phone is told anyway; the rest is about the callee's devices, and nobody else's business. */
export const SEEN_BY_CALLER: readonly CallEventKind[] = ['invite', 'held', 'ringing', 'answered', 'ended', 'hung_up'];

/** An event of a call, as the call server saw it. */
export interface SipEvent {
  kind: SipEventKind;
  callId: string;
  /** Usernames in lower case: caller and callee, or for `hung_up` whoever did, and the other. */
  from: string;
  to: string;
  callType: CallType | null;
  /** The final status of a call that ended without an answer. */
  status: number | null;
  /** The contact of the device concerned, as the registrar names it; empty where there is none. */
  contact: string;
  /** The time by the call server's clock, with microseconds (RFC 3339). */
  at: string;
  /** The same moment, in seconds since the epoch. */
  seconds: number;
}

const SECONDS = /^\d{1,10}(\.\d{1,6})?$/;

/** Seconds since the epoch as the call server writes them; undefined for what is none. */
export const secondsOf = (value: unknown): number | undefined =>
  typeof value === 'string' && SECONDS.test(value) ? Number(value) : undefined;

/** The same as a timestamp that loses no microsecond. */
export function timestampOf(seconds: string): string {
  const [whole = '0', fraction = ''] = seconds.split('.');
  return new Date(Number(whole) * 1000).toISOString().replace('.000Z', `.${fraction.padEnd(6, '0')}Z`);
}

/** What becomes of a call whose caller is told this status (RFC 3261 §21, RFC 8197). */
export function outcomeOf(status: number): CallOutcome {
  switch (status) {
    case 487:
      return 'cancelled';
    case 486:
    case 600:
      return 'busy';
    case 603:
    case 607:
      return 'declined';
    case 408:
    case 480:
      return 'missed';
    default:
      return 'failed';
  }
}

const text = (value: unknown, max: number): string | undefined =>
  isCleanText(value) && value.length > 0 && value.length <= max ? value : undefined;

const oneOf = <T extends string>(values: readonly T[], value: unknown): T | undefined =>
  values.find((one) => one === value);

/** Of a final answer (RFC 3261, 7.2). */
const isStatus = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 699;

/** Reads an event; undefined for what is none: it must not keep others from being heard. */
export function readEvent(value: unknown): SipEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields: Record<string, unknown> = { ...value };
  const kind = oneOf(SIP_EVENTS, fields.kind);
  const callId = text(fields.call_id, 512);
  const [from, to] = [text(fields.from_username, 256), text(fields.to_username, 256)];
  const seconds = secondsOf(fields.at);
  if (!kind || !callId || !from || !to || seconds === undefined) return undefined;
  return {
    kind,
    callId,
    from: from.toLowerCase(),
    to: to.toLowerCase(),
    callType: oneOf(CALL_TYPES, fields.call_type) ?? null,
    status: isStatus(fields.status) ? fields.status : null,
    contact: text(fields.ruid, 64) ?? '',
    at: timestampOf(String(fields.at)),
    seconds,
  };
}

const LONGEST_DELAY_SECONDS = 86_400;

/** How long ago something was when the call server told of it, in milliseconds, by its own clock. */
export function delayMs(at: number | undefined, sentAt: number | undefined): number {
  if (at === undefined || sentAt === undefined) return 0;
  const seconds = sentAt - at;
  return seconds >= 0 && seconds <= LONGEST_DELAY_SECONDS ? Math.round(seconds * 1000) : 0;
}
