import type { SecureContext } from 'node:tls';
import type { Clock } from '../../common/clock.js';
import { type AdminPorts, adminPorts, examineAdminPorts, exposedAddresses } from './admin-ports.js';
import { type Finding, info } from './finding.js';
import { addressesIn } from './names.js';
import { examineOutside } from './outside.js';
import { ApiClient } from './round-trip/lodging.js';
import { makeRoundTrip } from './round-trip/round-trip.js';

/** Where these ports usually are: from outside nobody knows the settings. */
const USUAL_PORTS: AdminPorts = {
  database: 5432,
  xmppApi: 5281,
  xmppComponent: 5347,
  sipRpc: 5066,
  rtpengineNg: 2223,
  apiInternal: 8444,
};

/** Examines the deployment behind a URL of its API as anybody can, without any settings. */
export async function examineUrl(
  url: string,
  authorities: SecureContext,
  clock: Clock,
  stop: AbortSignal,
): Promise<Finding[]> {
  const apiUrl = new URL(url).origin;
  const { findings, deployment, names, registration } = await examineOutside({ apiUrl, authorities, clock, stop });
  if (!deployment) return findings;
  const addresses = exposedAddresses(
    [...names.keys()].flatMap((host) => addressesIn(names, host)),
    [],
  );
  const api = new ApiClient(apiUrl, authorities);
  const journey = { deployment, api, lodging: api, mediaAddress: undefined, authorities, stop };
  const groups = await Promise.all([
    examineAdminPorts(adminPorts(USUAL_PORTS), addresses, false, stop),
    registration === 'open' ? makeRoundTrip(journey) : [notTried(registration)],
  ]);
  return [...findings, ...groups.flat()];
}

const notTried = (registration: string): Finding => ({
  ...{ id: 'roundtrip.accounts', probed: 'Two throw-away accounts' },
  ...info(
    `registration is ${registration}: chat, calls and relays were not tried with accounts`,
    'run it on the server, where it makes the accounts itself',
  ),
});
