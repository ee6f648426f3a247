import { createHash, createHmac, randomBytes } from 'node:crypto';

/** STUN and TURN messages on the wire (RFC 8489, RFC 8656). */

export const Method = {
  binding: 0x001,
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
} as const;

export const Class = { request: 0x000, indication: 0x010, success: 0x100, error: 0x110 } as const;

export const Attribute = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedAddressFamily: 0x0017,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
} as const;

export interface TurnMessage {
  method: number;
  class: number;
  transaction: Buffer;
  attributes: [type: number, value: Buffer][];
}

/** A transport address: an IPv4 one, or an IPv6 one written as eight groups or with `::`. */
export interface Endpoint {
  address: string;
  port: number;
}

const COOKIE = Buffer.from([0x21, 0x12, 0xa4, 0x42]);
const HEADER_BYTES = 20;
const INTEGRITY_BYTES = 4 + 20;

export const newTransaction = (): Buffer => randomBytes(12);

export const attributeOf = ({ attributes }: TurnMessage, type: number): Buffer | undefined =>
  attributes.find(([one]) => one === type)?.[1];

/** 401 of an error response, 0 of any other message. */
export function errorCodeOf(message: TurnMessage): number {
  const value = attributeOf(message, Attribute.errorCode);
  return value ? value.readUInt8(2) * 100 + value.readUInt8(3) : 0;
}

export const number32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** The key of long-term credentials (RFC 8489, 9.2.2). */
export const longTermKey = (username: string, realm: string, password: string): Buffer =>
  createHash('md5').update(`${username}:${realm}:${password}`).digest();

/** Encodes a message; with a key its last attribute is MESSAGE-INTEGRITY. */
export function encode(message: TurnMessage, key?: Buffer): Buffer {
  const body = Buffer.concat(message.attributes.map(([type, value]) => attribute(type, value)));
  if (!key) return Buffer.concat([header(message, body.length), body]);
  const signed = Buffer.concat([header(message, body.length + INTEGRITY_BYTES), body]);
  const integrity = createHmac('sha1', key).update(signed).digest();
  return Buffer.concat([signed, attribute(Attribute.messageIntegrity, integrity)]);
}

/** True when the message was signed with that key. */
export function isSignedWith(key: Buffer, bytes: Buffer): boolean {
  const position = positionOf(Attribute.messageIntegrity, bytes);
  if (position < 0) return false;
  const signed = Buffer.from(bytes.subarray(0, position));
  signed.writeUInt16BE(position - HEADER_BYTES + INTEGRITY_BYTES, 2);
  const expected = createHmac('sha1', key).update(signed).digest();
  return expected.equals(bytes.subarray(position + 4, position + INTEGRITY_BYTES));
}

export function decode(bytes: Buffer): TurnMessage {
  if (!bytes.subarray(4, 8).equals(COOKIE)) throw new Error('not a STUN message');
  const type = bytes.readUInt16BE(0);
  return {
    // The two bits of the class lie among those of the method (RFC 8489, 5); TURN's methods need the lowest four.
    method: type & 0x00f,
    class: type & 0x110,
    transaction: bytes.subarray(8, HEADER_BYTES),
    attributes: [...attributesIn(bytes)].map(([kind, start, length]) => [kind, bytes.subarray(start, start + length)]),
  };
}

function header({ method, class: kind, transaction }: TurnMessage, length: number): Buffer {
  const start = Buffer.alloc(4);
  start.writeUInt16BE(method | kind, 0);
  start.writeUInt16BE(length, 2);
  return Buffer.concat([start, COOKIE, transaction]);
}

function attribute(type: number, value: Buffer): Buffer {
  const start = Buffer.alloc(4);
  start.writeUInt16BE(type, 0);
  start.writeUInt16BE(value.length, 2);
  return Buffer.concat([start, value, Buffer.alloc(padding(value.length))]);
}

/** Bytes that fill up to the next multiple of four. */
export const padding = (length: number): number => -length & 3;

function* attributesIn(bytes: Buffer): Generator<[type: number, start: number, length: number]> {
  const end = HEADER_BYTES + bytes.readUInt16BE(2);
  for (let position = HEADER_BYTES; position < end; ) {
    const length = bytes.readUInt16BE(position + 2);
    yield [bytes.readUInt16BE(position), position + 4, length];
    position += 4 + length + padding(length);
  }
}

function positionOf(type: number, bytes: Buffer): number {
  for (const [one, start] of attributesIn(bytes)) if (one === type) return start - 4;
  return -1;
}

/** XOR-PEER-ADDRESS and its like. */
export function xorAddress({ address, port }: Endpoint, transaction: Buffer): Buffer {
  const raw = address.includes(':') ? ipv6Bytes(address) : ipv4Bytes(address);
  const value = Buffer.alloc(4 + raw.length);
  value.writeUInt8(raw.length === 4 ? 1 : 2, 1);
  value.writeUInt16BE(port ^ COOKIE.readUInt16BE(0), 2);
  xor(raw, transaction).copy(value, 4);
  return value;
}

/** The IPv4 address in an XOR-MAPPED-ADDRESS and its like. */
export function endpointIn(value: Buffer, transaction: Buffer): Endpoint {
  return {
    address: [...xor(value.subarray(4), transaction)].join('.'),
    port: value.readUInt16BE(2) ^ COOKIE.readUInt16BE(0),
  };
}

function xor(raw: Buffer, transaction: Buffer): Buffer {
  const mask = Buffer.concat([COOKIE, transaction]);
  return Buffer.from(raw.map((byte, index) => byte ^ mask.readUInt8(index)));
}

const ipv4Bytes = (address: string): Buffer => Buffer.from(address.split('.').map(Number));

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::').map((half) => half.replace(/[\d.]+$/, dottedToGroups));
  const left = groups(head);
  const right = groups(tail ?? '');
  const zeros = Array<number>(8 - left.length - right.length).fill(0);
  return Buffer.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]));
}

const groups = (text: string): number[] => (text ? text.split(':').map((group) => Number.parseInt(group, 16)) : []);

/** `127.0.0.1` at the end of an IPv6 address as two groups; other text stays. */
function dottedToGroups(text: string): string {
  if (!text.includes('.')) return text;
  const bytes = ipv4Bytes(text);
  return `${bytes.readUInt16BE(0).toString(16)}:${bytes.readUInt16BE(2).toString(16)}`;
}
