import { Agent } from 'node:https';
import axios from 'axios';
import { certificateAuthority, platform } from './platform.js';

type LookupDone = (error: null, address: string | { address: string; family: number }[], family?: number) => void;

/** Names of the test platform are in no DNS: whatever is asked for is at the platform's address. */
export function toPlatform(_name: string, options: { all?: boolean }, done: LookupDone): void {
  if (options.all) done(null, [{ address: platform.host, family: 4 }]);
  else done(null, platform.host, 4);
}

/** Connects by name, with the certificate verified. */
export const httpsAgent = new Agent({ ca: certificateAuthority(), lookup: toPlatform });

/** HTTPS as a client does it. No status is an exception. */
export const https = axios.create({
  httpsAgent,
  proxy: false,
  validateStatus: () => true,
  maxBodyLength: Number.POSITIVE_INFINITY,
});
