import { describe, expect, it } from '@jest/globals';
import { PublicAddresses } from './public-addresses.js';

describe('public addresses', () => {
  const addresses = new PublicAddresses([]);

  it.each(['1.1.1.1', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
    '%s is one',
    (address) => expect(addresses.includes(address)).toBe(true),
  );

  it.each([
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
    ...['0.0.0.0', '224.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1', '203.0.113.9'],
    ...[
      '::1',
      '::',
      'fe80::1',
      'fc00::1',
      'fd12::1',
      'ff02::1',
      '::ffff:127.0.0.1',
      '::ffff:10.0.0.1',
      '64:ff9b::7f00:1',
    ],
    ...['::127.0.0.1', '2002:7f00:1::', '2001:db8::1', '2001::1'],
  ])('%s is none', (address) => expect(addresses.includes(address)).toBe(false));

  it('may have exceptions', () => {
    const some = new PublicAddresses(['10.0.0.0/8', '192.168.7.7', 'fd00::/8']);
    expect(['10.9.9.9', '192.168.7.7', 'fd12::1'].every((address) => some.includes(address))).toBe(true);
    expect(['192.168.7.8', '127.0.0.1', 'fe80::1'].some((address) => some.includes(address))).toBe(false);
  });

  const look = (of: PublicAddresses, all: boolean) =>
    new Promise<unknown[]>((resolve) => of.lookup('localhost', { all }, (...answer) => resolve(answer)));

  it('are all that a lookup gives', async () => {
    expect(await look(addresses, true)).toEqual([expect.objectContaining({ code: 'EFORBIDDENADDRESS' }), []]);
    const [error, found] = await look(new PublicAddresses(['127.0.0.0/8', '::1']), false);
    expect([error, found]).toEqual([null, expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]);
  });
});
