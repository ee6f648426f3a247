import { Problem } from '../common/problem.js';
import type { Frame } from './protocol.js';

/** The detail of what can't be parsed at all. */
export const INVALID_JSON = 'invalid JSON';

/** The JSON object that a frame is. @throws Problem malformed_request */
export function readFrame(data: Buffer): Frame {
  const frame = parsed(data);
  if (typeof frame === 'object' && frame !== null && !Array.isArray(frame)) return frame as Frame;
  throw new Problem('malformed_request', 'a frame must be a JSON object');
}

function parsed(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    throw new Problem('malformed_request', INVALID_JSON);
  }
}
