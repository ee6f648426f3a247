import { Problem } from '../../common/problem.js';
import type { Frame } from '../../realtime/protocol.js';

/** A frame may have this many bytes. */
export const MOST_BYTES = 64 * 1024;

/** What goes from device to device as it is, and what changes its name on the way. */
const FORWARDED = new Set<unknown>(['offer', 'answer', 'ice-candidate']);
const RENAMED = new Map<unknown, string>([
  ['connect-request', 'connect-request-received'],
  ['connect-ack', 'connect-ack-received'],
]);

/** A frame for another device. */
export interface Signal {
  readonly target: string;
  /** Says which frame an answer is about, if its sender wants to know. */
  readonly id: string | number | undefined;
  /** What the target gets. */
  readonly forwarded: object;
}

const idOf = ({ id }: Frame): Signal['id'] =>
  (typeof id === 'string' && id.length <= 128) || typeof id === 'number' ? id : undefined;

/** An answer that tells, where the frame has an id, which one it is to. */
export function about(frame: Frame, answer: object): object {
  const id = idOf(frame);
  return id === undefined ? answer : { ...answer, id };
}

const refusal = (detail: string): Problem => new Problem('malformed_request', `Invalid message format: ${detail}`);

/** @param sender the id of the device that sends it. @returns why not, in the words of the contract, for what is none */
export function readSignal(frame: Frame, sender: string): Signal | Problem {
  const { type, target_device_id: given, ...rest } = frame;
  const target = typeof given === 'number' ? String(given) : given;
  if (typeof type !== 'string' || typeof target !== 'string' || target === '') {
    return refusal('missing type or target_device_id');
  }
  const id = idOf(frame);
  // Whatever the sender says of itself is overwritten.
  if (FORWARDED.has(type)) return { target, id, forwarded: { ...frame, sender_device_id: sender } };
  const renamed = RENAMED.get(type);
  if (renamed) return { target, id, forwarded: { ...rest, type: renamed, from_device_id: sender } };
  return refusal('unknown type');
}
