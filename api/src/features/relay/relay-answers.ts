import type { RelayedFrame } from './relay-frame.js';

/**
 * Which command an event answers that names none of those that wait for an answer: apps of the field may leave `req_id` out,
 * and end a call by the id of the command that began it.
 */
export function answeredKind({ kind, reqId, fields: { state } }: RelayedFrame): string | undefined {
  if (kind === 'SIM_INFO') return 'GET_SIMS';
  if (kind === 'CALL_STATE' && state === 'ended') return 'HANG_UP';
  // Whatever else has an id tells more of a command that has been answered.
  if (reqId !== null) return undefined;
  if (kind === 'SMS_SENT') return 'SEND_SMS';
  return kind === 'CALL_STATE' && (state === 'dialing' || state === 'error') ? 'MAKE_CALL' : undefined;
}
