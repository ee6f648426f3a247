import { describe, expect, it } from '@jest/globals';
import { isPublicAddress, judgeName, judgeServiceName, worthTrying } from './names.rules.js';

it.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.31.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.1.1',
  '::1',
  'fd00::1',
  'fe80::1',
  'no',
])('%s is not on the Internet', (address) => expect(isPublicAddress(address)).toBe(false));
it.each(['198.51.100.7', '172.32.0.1', '2001:db8::1'])('%s is on the Internet', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

it('leaves out the other name of this machine for itself', () => {
  expect(worthTrying(['::1', '127.0.0.1'])).toEqual(['127.0.0.1']);
  expect(worthTrying(['::1'])).toEqual(['::1']);
  expect(worthTrying(['2001:db8::1', '198.51.100.7'])).toHaveLength(2);
});

describe('a name', () => {
  const name = { name: 'turn.example.com', addresses: ['198.51.100.7'], silent: [], expected: '198.51.100.7' };

  it('is well when it leads to the server, or nobody says where that is', () => {
    expect(judgeName(name).severity).toBe('ok');
    expect(judgeName({ ...name, expected: undefined }).severity).toBe('ok');
  });

  it('must not lead elsewhere', () => {
    const verdict = judgeName({ ...name, addresses: ['203.0.113.1'] });
    expect(verdict).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('SERVER_IP is 198.51.100.7'),
    });
  });

  it('must not have an address at which nothing answers: clients may try it first', () => {
    const verdict = judgeName({ ...name, addresses: ['198.51.100.7', '2001:db8::1'], silent: ['2001:db8::1'] });
    expect(verdict).toMatchObject({ severity: 'warning', remedy: expect.stringContaining('AAAA') });
  });

  it('is not to blame when nothing answers anywhere', () => {
    const addresses = ['198.51.100.7', '198.51.100.8'];
    expect(judgeName({ ...name, addresses, silent: addresses }).severity).toBe('ok');
  });
});

describe('the record of a service', () => {
  const service = { name: '_xmpp-client._tcp.example.com', expected: { host: 'chat.example.com', port: 5222 } };

  it('is information when it is missing, well when it is right, a warning when it leads elsewhere', () => {
    expect(judgeServiceName({ ...service, records: [] })).toMatchObject({
      severity: 'info',
      remedy: 'add: _xmpp-client._tcp.example.com SRV 5 0 5222 chat.example.com.',
    });
    expect(judgeServiceName({ ...service, records: [{ host: 'Chat.Example.com', port: 5222 }] }).severity).toBe('ok');
    expect(judgeServiceName({ ...service, records: [{ host: 'old.example.com', port: 5222 }] }).severity).toBe(
      'warning',
    );
  });
});
