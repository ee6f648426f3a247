import { isIP } from 'node:net';
import { addressesOf, serviceRecords } from '../../clients/probes/names.js';
import { isTcpOpen } from '../../clients/probes/open-port.probe.js';
import { explain } from '../../clients/probes/probe-error.js';
import type { Endpoint } from '../../clients/probes/sockets.js';
import type { Deployment } from './deployment.js';
import { type Finding, info } from './finding.js';
import { judgeName, judgeServiceName, unresolved, worthTrying } from './names.rules.js';
import { type ProtocolCheck } from './protocol-checks.js';

const LOOKUP_MS = 3000;
const CONNECT_MS = 3000;

/** A host name: where it leads, or why it leads nowhere. */
export type Names = ReadonlyMap<string, readonly string[] | string>;

/** Looks every name up once: a probe of a name that leads nowhere would only say so again. */
export async function resolve(hosts: readonly string[], stop: AbortSignal): Promise<Names> {
  const deadline = AbortSignal.any([stop, AbortSignal.timeout(LOOKUP_MS)]);
  const lookUp = (host: string) => addressesOf(host, deadline).catch((error: unknown) => explain(error).message);
  return new Map(await Promise.all(hosts.map(async (host) => [host, await lookUp(host)] as const)));
}

export const addressesIn = (names: Names, host: string): readonly string[] => {
  const addresses = names.get(host);
  return typeof addresses === 'string' || !addresses ? [] : worthTrying(addresses);
};

/**
 * A finding for each name.
 * @param serverAddress where names of servers that no proxy stands for must lead; undefined when nobody knows
 */
export function examineNames(
  names: Names,
  checks: readonly ProtocolCheck[],
  { sip, turn, turnTls }: Deployment,
  serverAddress: string | undefined,
  stop: AbortSignal,
): Promise<Finding[]> {
  const direct = [sip.host, turn.host, turnTls.host];
  const finding = async ([name, found]: readonly [string, readonly string[] | string]): Promise<Finding> => {
    const subject = { id: `dns.${name}`, probed: `Name ${name}` };
    if (typeof found === 'string') return { ...subject, ...unresolved(name, found) };
    const addresses = worthTrying(found);
    const port = checks.find(({ host, transport }) => host === name && transport === 'tcp')?.port;
    const silent = port ? await silentOf(addresses, Number(port), stop) : [];
    const expected = direct.includes(name) ? serverAddress : undefined;
    return { ...subject, ...judgeName({ name, addresses, silent, expected }) };
  };
  return Promise.all([...names].filter(([name]) => !isIP(name)).map(finding));
}

/** Of several addresses, those at which nobody answers. */
async function silentOf(addresses: readonly string[], port: number, stop: AbortSignal): Promise<string[]> {
  if (addresses.length < 2) return [];
  const deadline = AbortSignal.any([stop, AbortSignal.timeout(CONNECT_MS)]);
  const open = await Promise.all(addresses.map((host) => isTcpOpen({ host, port }, deadline)));
  return addresses.filter((_, index) => !open[index]);
}

/** How clients find the servers by the domains alone: for information. */
export async function examineServiceNames({ xmpp, sip }: Deployment): Promise<Finding[]> {
  const wanted: [name: string, expected: Endpoint][] = [
    [`_xmpp-client._tcp.${xmpp.domain}`, { host: xmpp.host, port: xmpp.startTlsPort }],
    [`_xmpps-client._tcp.${xmpp.domain}`, { host: xmpp.host, port: xmpp.tlsPort }],
    [`_sips._tcp.${sip.domain}`, { host: sip.host, port: sip.tlsPort }],
    ...(sip.port ? [[`_sip._udp.${sip.domain}`, { host: sip.host, port: sip.port }] satisfies [string, Endpoint]] : []),
  ];
  const finding = async ([name, expected]: [string, Endpoint]): Promise<Finding> => {
    const subject = { id: `srv.${name}`, probed: `Service name ${name}` };
    const records = await serviceRecords(name).catch(() => undefined);
    if (!records) return { ...subject, ...info('the name server does not answer') };
    return { ...subject, ...judgeServiceName({ name, records, expected }) };
  };
  return Promise.all(wanted.filter(([name, { host }]) => isInDns(name) && isInDns(`.${host}`)).map(finding));
}

/** No name server knows this machine's own name, or an address. */
const isInDns = (name: string): boolean => !/\.(localhost|[\d.]+)$/.test(name);

const SIP_PORT = 5060;

/** Where SIP over UDP and TCP is: the domain's record says it, or else it is at the usual port (RFC 3263 §4.2). */
export async function findSip({ sip }: Deployment): Promise<Endpoint> {
  if (sip.port) return { host: sip.host, port: sip.port };
  const records = isInDns(`.${sip.domain}`) ? await serviceRecords(`_sip._udp.${sip.domain}`).catch(() => []) : [];
  return records[0] ?? { host: sip.host, port: SIP_PORT };
}
