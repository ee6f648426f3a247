import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Addresses that are not of the public Internet (IANA special-purpose registries, RFC 6890): what is there is nobody's business. */
const NOT_PUBLIC: readonly [address: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Of IPv6 only global unicast is public, and of that not documentation, Teredo, ORCHID, 6to4 and other ways into IPv4. */
const GLOBAL_UNICAST: [string, number] = ['2000::', 3];
const NOT_PUBLIC_V6: readonly [address: string, prefix: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

/** An address that a device chose and that this server may not connect to. */
export class ForbiddenAddress extends Error {
  readonly code = 'EFORBIDDENADDRESS';
}

/** Knows which addresses may be connected to when somebody else has named them. */
export class PublicAddresses {
  private readonly refused = new BlockList();
  private readonly unicast = new BlockList();
  private readonly allowed = new BlockList();

  /** @param exceptions networks that may be, `a.b.c.d/n` or an address */
  constructor(exceptions: readonly string[]) {
    for (const network of NOT_PUBLIC) this.refused.addSubnet(...network, 'ipv4');
    for (const network of NOT_PUBLIC_V6) this.refused.addSubnet(...network, 'ipv6');
    this.unicast.addSubnet(...GLOBAL_UNICAST, 'ipv6');
    for (const exception of exceptions) {
      const [address = '', prefix] = exception.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      this.allowed.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
    }
  }

  includes(address: string): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (this.allowed.check(address, family)) return true;
    return !this.refused.check(address, family) && (family === 'ipv4' || this.unicast.check(address, family));
  }

  /**
   * As dns.lookup, with ForbiddenAddress for a name that leads to any address that is not public. What it gives is what
   * was looked at: a name that leads elsewhere a moment later (DNS rebinding) leads nobody there.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return callback(error, []);
      const isPublic = found.length > 0 && found.every(({ address }) => this.includes(address));
      if (!isPublic) return callback(new ForbiddenAddress('not a public address'), []);
      const [first] = found;
      return options.all || !first ? callback(null, found) : callback(null, first.address, first.family);
    });
  };
}
