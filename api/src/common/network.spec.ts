import { describe, expect, it } from '@jest/globals';
import { networkOf } from './network.js';

describe('the network of a client', () => {
  it.each([
    ['an IPv4 address is itself', '192.0.2.7', '192.0.2.7'],
    ['IPv4 in IPv6 is IPv4', '::ffff:192.0.2.7', '192.0.2.7'],
    ['and so when it is written in hexadecimal', '::ffff:c000:207', '192.0.2.7'],
    ['or in capitals', '::FFFF:192.0.2.7', '192.0.2.7'],
    ['or in full', '0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['of IPv6 it is the first 64 bits', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['with zeros left out behind them', '2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['with zeros left out among them', '2001:db8::3:4:5:6', '2001:db8:0:0::/64'],
    ['whatever the writing', '2001:0DB8:0001:0002:0000::', '2001:db8:1:2::/64'],
    ['with an interface', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['of all zeros', '::', '0:0:0:0::/64'],
    ['loopback', '::1', '0:0:0:0::/64'],
    ['what is no address is itself', 'unix:', 'unix:'],
    ['nor does it become one by what stands around it', '::1]:80/[::2', '::1]:80/[::2'],
  ])('%s', (_what, address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('tells neighbouring /64 apart', () => {
    expect(networkOf('2001:db8:1:2::1')).not.toBe(networkOf('2001:db8:1:3::1'));
  });
});
