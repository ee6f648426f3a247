import { readDeviceId, type WireId, wireId } from '../../common/device-id.js';
import type { RelayLifetimes } from '../../config/relay.config.js';
import type { Frame } from '../../realtime/protocol.js';

/** The two ends of the relay: the phone with the SIM cards, and whatever texts and calls through it. */
export type Role = 'host' | 'client';

export const SIM_SLOTS = { min: 1, max: 2 } as const;
/** In characters, as people count them. */
export const MOST = { number: 30, text: 1600, reqId: 128 } as const;
/** Of a command or an event, which are kept; an offer of WebRTC may be larger. */
const MOST_KEPT_BYTES = 16 * 1024;

/** What is passed on to another device. */
export interface RelayedFrame {
  type: 'command' | 'event' | 'webrtc';
  /** Which command, event or action. */
  kind: string;
  reqId: string | null;
  /** The device that it is for; null: the first that the sender is paired with, or all of them. */
  to: string | null;
  fields: Frame;
}

export type ReadFrame =
  | { type: 'ping' | 'pong' }
  | { type: 'ack'; reqId: string }
  | { type: 'refused'; answer: object }
  | RelayedFrame;

/** What each end may send. Both are pinged, and one of the apps in the field answers. */
const TYPES: Record<Role, readonly string[]> = {
  client: ['command', 'webrtc', 'ping', 'pong'],
  host: ['event', 'webrtc', 'ack', 'ping', 'pong'],
};

const EVENT = /^[A-Z][A-Z0-9_]{0,63}$/;

/** How long what it is about makes sense to a device that was away meanwhile. */
const LIFETIMES: Readonly<Record<string, keyof RelayLifetimes>> = {
  SEND_SMS: 'sms',
  SMS_SENT: 'sms',
  INCOMING_SMS: 'sms',
  ERROR: 'sms',
  MAKE_CALL: 'call',
  INCOMING_CALL: 'call',
  CALL_STATE: 'call',
  HANG_UP: 'hangUp',
};

export const lifetimeOf = (kind: string): keyof RelayLifetimes =>
  Object.hasOwn(LIFETIMES, kind) ? (LIFETIMES[kind] ?? 'query') : 'query';

/** Whether it is text of so many characters; line breaks are welcome. */
export const isProse = (value: unknown, most: number): value is string =>
  typeof value === 'string' &&
  value.length <= 2 * most &&
  value.trim() !== '' &&
  value.isWellFormed() &&
  !value.includes('\0') &&
  Array.from(value).length <= most;

/** Whether it is what people dial: a line of text. */
export const isDialled = (value: unknown): value is string => isProse(value, MOST.number) && !/\p{Cc}/u.test(value);

const isSim = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Number.isInteger(value) && Number(value) >= SIM_SLOTS.min && Number(value) <= SIM_SLOTS.max);

type Fault = string | undefined;

const COMMANDS: Readonly<Record<string, (fields: Frame) => Fault>> = {
  SEND_SMS: (fields) => faultOfCall(fields) ?? (isProse(fields.body, MOST.text) ? undefined : 'body'),
  MAKE_CALL: (fields) => faultOfCall(fields),
  HANG_UP: () => undefined,
  GET_SIMS: () => undefined,
};

const WEBRTC_ACTIONS: Readonly<Record<string, (fields: Frame) => Fault>> = {
  offer: ({ sdp }) => (typeof sdp === 'string' ? undefined : 'sdp'),
  answer: ({ sdp }) => (typeof sdp === 'string' ? undefined : 'sdp'),
  ice: ({ candidate }) => (typeof candidate === 'string' ? undefined : 'candidate'),
  error: () => undefined,
};

function faultOfCall({ sim, to }: Frame): Fault {
  if (!isDialled(to)) return 'to';
  return isSim(sim) ? undefined : 'sim';
}

/** What an error quotes of what it got: enough to find it, and no more. */
const quoted = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none')).slice(0, 64);

const refused = (error: string, reqId?: string | null): ReadFrame => ({
  type: 'refused',
  answer: { error, ...(reqId ? { req_id: reqId } : {}) },
});

/** Reads a frame of a device: whatever is in it, nothing but what is known gets any further. */
export function readFrame(fields: Frame, from: Role, bytes = 0): ReadFrame {
  const { type } = fields;
  if (typeof type !== 'string' || !TYPES[from].includes(type)) return refused(`invalid message type: ${quoted(type)}`);
  if (type === 'ping' || type === 'pong') return { type };
  if (Object.hasOwn(fields, '__proto__')) return refused('invalid field: __proto__');
  if (type !== 'webrtc' && bytes > MOST_KEPT_BYTES) return refused('too large');
  const reqId = fields.req_id ?? null;
  if (reqId !== null && !isReqId(reqId)) return refused('invalid req_id');
  if (type === 'ack') return reqId === null ? refused('invalid req_id') : { type, reqId };
  const to = targetOf(fields.to_device_id);
  if (to === undefined) return refused('invalid to_device_id', reqId);
  return readRelayed({ type: type as RelayedFrame['type'], kind: '', reqId, to, fields });
}

function readRelayed(frame: RelayedFrame): ReadFrame {
  const { type, fields, reqId } = frame;
  if (type === 'event') {
    const { event } = fields;
    if (typeof event !== 'string' || !EVENT.test(event)) return refused(`invalid event: ${quoted(event)}`, reqId);
    return { ...frame, kind: event };
  }
  const [name, table] = type === 'command' ? (['cmd', COMMANDS] as const) : (['action', WEBRTC_ACTIONS] as const);
  const kind = fields[name];
  const check = typeof kind === 'string' && Object.hasOwn(table, kind) ? table[kind] : undefined;
  if (typeof kind !== 'string' || !check) return refused(`invalid ${name}: ${quoted(kind)}`, reqId);
  const fault = check(fields);
  return fault ? refused(`invalid ${fault}`, reqId) : { ...frame, kind };
}

const isReqId = (value: unknown): value is string => isProse(value, MOST.reqId) && !/\p{Cc}/u.test(value);

/** Null when none is named, in whatever way; undefined for what names none that there could be. */
const targetOf = (value: unknown): string | null | undefined =>
  value === undefined || value === null || value === 0 || value === '' ? null : readDeviceId(value);

/** The text of a frame as the other device gets it. */
export const forwarded = (fields: object, from: string): string =>
  JSON.stringify({ ...fields, from_device_id: wireId(from) });

export const EXPIRED = 'expired: the phone did not answer in time';

/** The news of a command that nobody has acknowledged in its time: as the host itself would say that it could not do it. */
export const expiredNews = (host: string, reqId: string | null): string =>
  forwarded({ type: 'event', event: 'ERROR', status: 'error', code: 'expired', body: EXPIRED, req_id: reqId }, host);

/** What a sender is told about a frame that does not reach its target; the same for an unknown and a foreign one. */
export const undelivered = (
  error: 'not paired' | 'target_offline' | 'queue full' | 'rate limited' | 'temporarily unavailable',
  target: string | null,
  reqId: string | null,
): { error: string; target_device_id: WireId | null; req_id: string | null } => ({
  error,
  target_device_id: target === null ? null : wireId(target),
  req_id: reqId,
});
