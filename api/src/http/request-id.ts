import { randomBytes } from 'node:crypto';

const PROCESS_PREFIX = randomBytes(4).toString('hex');
let requests = 0;

/** A request id that is unique across processes and restarts, without the cost of a random one each time. */
export const newRequestId = (): string => `${PROCESS_PREFIX}-${(++requests).toString(36)}`;
