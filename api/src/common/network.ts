import { isIPv6, SocketAddress } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * What of a client's address is one client's: an IPv4 address as a whole, also where IPv6 carries it (RFC 4291,
 * 2.5.5.2), and of IPv6 the first 64 bits, since the rest is the client's to choose (RFC 4291, 2.5.4; RFC 8981).
 * Text that is no address is itself.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [text = ''] = address.split('%', 1);
  if (!isIPv6(text)) return address;
  const normal = SocketAddress.parse(`[${text}]`)?.address ?? text;
  return MAPPED.exec(normal)?.[1] ?? `${prefixOf(normal)}::/64`;
}

/** The first four groups of an address in its short form (RFC 5952). */
function prefixOf(normal: string): string {
  const [head = '', tail] = normal.split('::');
  const groups = (part: string | undefined): string[] => (part ? part.split(':') : []);
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const zeros = Array.from({ length: missing }, () => '0');
  return [...groups(head), ...zeros, ...groups(tail)].slice(0, 4).join(':');
}
