import { isMediaControlOpen, isTcpOpen } from '../../clients/probes/open-port.probe.js';
import type { Deadline } from '../../clients/probes/sockets.js';
import { type Finding, fault, info, ok, type Verdict, warning } from './finding.js';
import { look } from './look.js';
import { isPublicAddress } from './names.rules.js';

/** What must never be reached from elsewhere: whoever reaches it runs the server. */
export interface AdminPort {
  what: string;
  setting: string;
  port: number;
  isOpen: (endpoint: { host: string; port: number }, deadline: Deadline) => Promise<boolean>;
}

export type AdminPorts = Readonly<
  Record<'database' | 'xmppApi' | 'xmppComponent' | 'sipRpc' | 'rtpengineNg' | 'apiInternal', number>
>;

export const adminPorts = (ports: AdminPorts): AdminPort[] => [
  { what: 'PostgreSQL', setting: 'DB_PORT', port: ports.database, isOpen: isTcpOpen },
  { what: 'the admin API of ejabberd', setting: 'XMPP_API_PORT', port: ports.xmppApi, isOpen: isTcpOpen },
  { what: 'the components of ejabberd', setting: 'XMPP_COMPONENT_PORT', port: ports.xmppComponent, isOpen: isTcpOpen },
  { what: 'JSON-RPC of Kamailio', setting: 'SIP_RPC_PORT', port: ports.sipRpc, isOpen: isTcpOpen },
  { what: 'the internal API', setting: 'API_INTERNAL_PORT', port: ports.apiInternal, isOpen: isTcpOpen },
  {
    what: 'the control port of rtpengine',
    setting: 'RTPENGINE_NG_PORT',
    port: ports.rtpengineNg,
    isOpen: isMediaControlOpen,
  },
];

/** Which addresses others may use to get at this machine: all but its loopback ones, and where internal listeners belong. */
export const exposedAddresses = (addresses: readonly string[], internal: readonly string[]): string[] =>
  [...new Set(addresses)].filter((address) => !['127.0.0.1', '::1', '0.0.0.0', ...internal].includes(address));

/**
 * Tries each admin port at each address.
 * @param certain whether the ports are those of the settings; else they are the usual ones, and what answers may be another
 */
export async function examineAdminPorts(
  ports: readonly AdminPort[],
  addresses: readonly string[],
  certain: boolean,
  stop: AbortSignal,
): Promise<Finding[]> {
  const subject = { id: 'admin', probed: 'Ports that are nobody else’s business' };
  if (addresses.length === 0) return [{ ...subject, ...info('not tried: the servers are on this machine only') }];
  const attempts = addresses.flatMap((host) => ports.map((port) => examineAdminPort(port, host, certain, stop)));
  const open = (await Promise.all(attempts)).filter(({ severity }) => severity !== 'ok');
  const where = addresses.join(', ');
  return open.length > 0 ? open : [{ ...subject, ...ok(`${ports.length} ports are closed at ${where}`) }];
}

const CONNECT_MS = 3000;

function examineAdminPort(
  { what, setting, port, isOpen }: AdminPort,
  host: string,
  certain: boolean,
  stop: AbortSignal,
): Promise<Finding> {
  const subject = {
    ...{ id: `admin.${setting.toLowerCase()}.${host}`, probed: `Port ${port} at ${host}` },
    ...{ effect: 'it is not known whether it is open', remedy: () => 'try again', timeoutMs: CONNECT_MS },
  };
  return look(subject, stop, async (deadline): Promise<Verdict> => {
    if (!(await isOpen({ host, port }, deadline))) return ok('closed');
    const remedy = `let it listen on loopback only, and close ${port} in the firewall`;
    if (certain) return fault(`${what} can be reached there (${setting}): ${effectAt(host)}`, remedy);
    return warning(`it is open, and usually that of ${what}`, `if it is: ${remedy}`);
  });
}

const effectAt = (host: string): string =>
  isPublicAddress(host) ? 'everybody on the Internet can attack it' : 'other machines can attack it';
