import { expect, it } from '@jest/globals';
import {
  Attribute,
  attributeOf,
  Class,
  decode,
  encode,
  endpointIn,
  errorCodeOf,
  isSignedWith,
  longTermKey,
  Method,
  sizeOf,
  xorAddress,
} from './stun-message.js';

/** RFC 5769 §2.2: a response over IPv4; its key is that of a short-term credential. */
const RESPONSE = Buffer.from(
  '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643' +
    '000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96',
  'hex',
);
const KEY = Buffer.from('VOkJxbRl1RmTxUk/WvJxBt');

it('reads the response of RFC 5769, and whose it is', () => {
  const message = decode(RESPONSE);
  expect(message).toMatchObject({ method: Method.binding, class: Class.success });
  expect(endpointIn(attributeOf(message, Attribute.xorMappedAddress))).toEqual({ host: '192.0.2.1', port: 32_853 });
  expect(isSignedWith(KEY, RESPONSE)).toBe(true);
  expect(isSignedWith(Buffer.from('another'), RESPONSE)).toBe(false);
  expect(errorCodeOf(message)).toBe(0);
});

it('signs what it writes', () => {
  const transaction = Buffer.alloc(12, 7);
  const peer = { host: '198.51.100.7', port: 40_000 };
  const key = longTermKey('user', 'realm', 'password');
  const attributes = [[Attribute.xorPeerAddress, xorAddress(peer)] as const];
  const bytes = encode({ method: Method.createPermission, class: Class.request, transaction, attributes }, key);
  expect(sizeOf(bytes)).toBe(bytes.length);
  expect(isSignedWith(key, bytes)).toBe(true);
  const message = decode(bytes);
  expect(message).toMatchObject({ method: Method.createPermission, class: Class.request, transaction });
  expect(endpointIn(attributeOf(message, Attribute.xorPeerAddress))).toEqual(peer);
});

it('says no to what is none', () => {
  expect(() => decode(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))).toThrow('does not speak STUN');
  expect(() => sizeOf(Buffer.from('H'))).toThrow('does not speak STUN');
  expect(() => decode(RESPONSE.subarray(0, 30))).toThrow('does not speak STUN');
  const tooLong = Buffer.from(RESPONSE);
  tooLong.writeUInt16BE(500, 22);
  expect(() => decode(tooLong)).toThrow('does not speak STUN');
});
