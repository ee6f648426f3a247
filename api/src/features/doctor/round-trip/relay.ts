import { ProbeError } from '../../../clients/probes/probe-error.js';
import { RelayPeer } from '../../../clients/probes/relay-peer.js';
import type { Deadline, Endpoint, Trust } from '../../../clients/probes/sockets.js';
import { TurnRefusal, TurnSession, type TurnTarget } from '../../../clients/probes/turn-session.js';
import { fault, info, ok, type Verdict } from '../finding.js';
import { isPublicAddress } from '../names.rules.js';
import type { TurnOffer } from './lodging.js';

/** Of each kind that the relay must never send to: this machine, private networks, what a cloud keeps its secrets at. */
const FORBIDDEN_PEERS = ['127.0.0.1', '10.255.255.254', '172.31.255.254', '192.168.255.254', '169.254.169.254'];
const FORBIDDEN = 403;

/** The ways of an offer that we know. */
export const targetsOf = ({ uris }: TurnOffer): TurnTarget[] => uris.flatMap((uri) => targetOf(uri) ?? []);

/** `turns:turn.example.com:5349?transport=tcp` (RFC 7065). */
export function targetOf(uri: string): TurnTarget | undefined {
  const [, scheme, host, port, way = 'udp'] = /^(turns?):([^:?]+):(\d+)(?:\?transport=(udp|tcp))?$/.exec(uri) ?? [];
  if (!host) return undefined;
  if (scheme === 'turn') return { host, port: Number(port), transport: way === 'tcp' ? 'tcp' : 'udp' };
  return way === 'tcp' ? { host, port: Number(port), transport: 'tls' } : undefined;
}

/**
 * Opens a relay, and sends something through it to a peer and back.
 * @param offer what the API says of the relay
 * @param peers where a peer may be
 * @throws ProbeError
 */
export async function relayData(
  target: TurnTarget,
  offer: TurnOffer,
  peers: PeerPlaces,
  trust: Trust,
  deadline: Deadline,
): Promise<Verdict> {
  const session = await TurnSession.open(target, trust, deadline, offer);
  const relay = await session.allocate();
  try {
    const peer = await findPeer(peers, relay, deadline);
    if (!peer) return info(`opened at ${relay.host}; whether it carries data shows only from another network`);
    await session.permit(peer.endpoint);
    await peer.exchange(session, relay);
    return ok(`opened at ${relay.host}, and data went to a peer and back`);
  } finally {
    await session.release().catch(() => {});
  }
}

/** Where this machine can be a peer of the relay. */
export interface PeerPlaces {
  /** The media relay's address, the one that is allowed though it may be private; undefined: nobody told us. */
  mediaAddress: string | undefined;
  /** Tells us our own address on the Internet. */
  stun: Endpoint;
}

/** Undefined when the relay rightly refuses every address that this machine has. */
async function findPeer(
  { mediaAddress, stun }: PeerPlaces,
  relay: Endpoint,
  deadline: Deadline,
): Promise<RelayPeer | undefined> {
  if (mediaAddress) return RelayPeer.at(mediaAddress, deadline).catch(notOurs);
  const peer = await RelayPeer.seenBy(stun, deadline);
  return isPublicAddress(peer.endpoint.host) && peer.endpoint.host !== relay.host ? peer : undefined;
}

/** Behind a translation of addresses the media relay's is none of this machine's. */
function notOurs(error: unknown): undefined {
  if (error instanceof ProbeError && error.trouble === 'unreachable') return undefined;
  throw error;
}

/** Nobody may reach private networks through the relay. @throws ProbeError */
export async function refusesPrivatePeers(
  target: TurnTarget,
  offer: TurnOffer,
  trust: Trust,
  deadline: Deadline,
): Promise<Verdict> {
  const session = await TurnSession.open(target, trust, deadline, offer);
  await session.allocate();
  try {
    const open: string[] = [];
    for (const host of FORBIDDEN_PEERS) if (await isPermitted(session, host)) open.push(host);
    if (open.length === 0) return ok(`${FORBIDDEN_PEERS.length} private addresses are refused`);
    const detail = `whoever has an account reaches ${open.join(', ')} through the relay, as if they were the server`;
    return fault(detail, 'deny these networks in coturn/turnserver.conf (denied-peer-ip), and restart coturn');
  } finally {
    await session.release().catch(() => {});
  }
}

async function isPermitted(session: TurnSession, host: string): Promise<boolean> {
  try {
    await session.permit({ host, port: 9 });
    return true;
  } catch (error) {
    if (error instanceof TurnRefusal && error.code === FORBIDDEN) return false;
    throw error;
  }
}
