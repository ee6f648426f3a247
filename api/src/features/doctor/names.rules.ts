import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from '../../clients/probes/sockets.js';
import { fault, info, ok, type Verdict, warning } from './finding.js';

const LOCAL = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  LOCAL.addSubnet(network, prefix);
}
LOCAL.addAddress('::1', 'ipv6');
LOCAL.addSubnet('fc00::', 7, 'ipv6');
LOCAL.addSubnet('fe80::', 10, 'ipv6');

/** Whether an address is one of the Internet's, as opposed to this machine's or a private network's (RFC 6890). */
export const isPublicAddress = (address: string): boolean =>
  (isIPv4(address) || isIPv6(address)) && !LOCAL.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

/** Those that clients try: with 127.0.0.1 beside it, ::1 is only this machine's other name for itself. */
export const worthTrying = (addresses: readonly string[]): string[] =>
  addresses.filter((address) => address !== '::1' || !addresses.includes('127.0.0.1'));

export interface ResolvedName {
  name: string;
  addresses: readonly string[];
  /** Those of them at which nothing answers. */
  silent: readonly string[];
  /** Where the settings say that this machine is; undefined for a name that may lead to a proxy, and from outside. */
  expected: string | undefined;
}

/** A name must lead to the server, and every address of it must answer: clients try any of them first. */
export function judgeName({ name, addresses, silent, expected }: ResolvedName): Verdict {
  const list = addresses.join(', ');
  if (expected && !addresses.includes(expected)) {
    const remedy = `let the A record of ${name} be ${expected}, or set SERVER_IP to the address of this machine`;
    return warning(`leads to ${list}, but SERVER_IP is ${expected}: calls and relays go elsewhere`, remedy);
  }
  const [dead] = silent;
  if (!dead || silent.length === addresses.length) return ok(list);
  const record = isIPv6(dead) ? 'AAAA' : 'A';
  const remedy = `remove the ${record} record, or have the servers answer there (they listen on BIND_ADDRESS)`;
  return warning(`leads to ${list}, but nothing answers at ${dead}: clients that try it first wait long`, remedy);
}

export const unresolved = (name: string, reason: string): Verdict =>
  fault(`${reason}: clients cannot find the server`, `add an A record for ${name} with the address of the server`);

/** A service that clients find by the domain alone (RFC 6120 §3.2.1, XEP-0368, RFC 3263). */
export interface ServiceName {
  /** `_xmpp-client._tcp.example.com` */
  name: string;
  records: readonly Endpoint[];
  /** Where the server is. */
  expected: Endpoint;
}

/** Nobody who reads /server/info needs these records; other clients do. */
export function judgeServiceName({ name, records, expected: { host, port } }: ServiceName): Verdict {
  const wanted = `${name} SRV 5 0 ${port} ${host}.`;
  if (records.length === 0) return info(`no such record; only clients of other makers need it`, `add: ${wanted}`);
  const given = records.map((record) => `${record.host}:${record.port}`).join(', ');
  if (records.some((record) => record.port === port && record.host.toLowerCase() === host)) return ok(given);
  return warning(`leads to ${given}, but the server is ${host}:${port}`, `replace it: ${wanted}`);
}
