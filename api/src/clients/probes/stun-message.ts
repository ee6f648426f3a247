import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ProbeError } from './probe-error.js';
import type { Endpoint } from './sockets.js';

/** STUN and TURN messages as they are sent (RFC 8489, RFC 8656). */

export const Method = {
  binding: 0x001,
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  createPermission: 0x008,
} as const;

export const Class = { request: 0x000, indication: 0x010, success: 0x100, error: 0x110 } as const;

export const Attribute = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
} as const;

export type AttributeList = readonly (readonly [type: number, value: Buffer])[];

export interface StunMessage {
  method: number;
  class: number;
  transaction: Buffer;
  attributes: AttributeList;
}

const COOKIE = Buffer.from([0x21, 0x12, 0xa4, 0x42]);
const HEADER_BYTES = 20;
const INTEGRITY_BYTES = 4 + 20;
const METHOD_BITS = 0x3eef;
const CLASS_BITS = 0x0110;

export const attributeOf = ({ attributes }: StunMessage, type: number): Buffer | undefined =>
  attributes.find(([one]) => one === type)?.[1];

/** 401 of a refusal, 0 of any other message. */
export function errorCodeOf(message: StunMessage): number {
  const value = attributeOf(message, Attribute.errorCode);
  return value && value.length >= 4 ? value.readUInt8(2) * 100 + value.readUInt8(3) : 0;
}

/** The key of long-term credentials (RFC 8489 §9.2.2). */
export const longTermKey = (username: string, realm: string, password: string): Buffer =>
  createHash('md5').update(`${username}:${realm}:${password}`).digest();

/** @param key signs the message: MESSAGE-INTEGRITY becomes its last attribute */
export function encode(message: StunMessage, key?: Buffer): Buffer {
  const body = Buffer.concat(message.attributes.map(([type, value]) => attribute(type, value)));
  if (!key) return Buffer.concat([header(message, body.length), body]);
  const signed = Buffer.concat([header(message, body.length + INTEGRITY_BYTES), body]);
  const integrity = createHmac('sha1', key).update(signed).digest();
  return Buffer.concat([signed, attribute(Attribute.messageIntegrity, integrity)]);
}

/** @throws ProbeError when it is no STUN message */
export function decode(bytes: Buffer): StunMessage {
  if (sizeOf(bytes) !== bytes.length || bytes.length < HEADER_BYTES || !bytes.subarray(4, 8).equals(COOKIE))
    throw notStun();
  const type = bytes.readUInt16BE(0);
  const attributes = [...attributesIn(bytes)].map(([kind, at, end]) => [kind, bytes.subarray(at, end)] as const);
  const transaction = bytes.subarray(8, HEADER_BYTES);
  return { method: type & METHOD_BITS, class: type & CLASS_BITS, transaction, attributes };
}

/** Whether a message was signed with the key. */
export function isSignedWith(key: Buffer, bytes: Buffer): boolean {
  for (const [type, at, end] of attributesIn(bytes)) {
    if (type !== Attribute.messageIntegrity || end - at !== 20) continue;
    const signed = Buffer.from(bytes.subarray(0, at - 4));
    signed.writeUInt16BE(at - 4 - HEADER_BYTES + INTEGRITY_BYTES, 2);
    return timingSafeEqual(createHmac('sha1', key).update(signed).digest(), bytes.subarray(at, end));
  }
  return false;
}

/** Bytes of the message at the beginning of a stream; four while that is not known. @throws ProbeError when it is none */
export function sizeOf(stream: Buffer): number {
  // Its first two bits are zero (RFC 8489 §5).
  if (stream.length > 0 && stream.readUInt8(0) >= 0x40) throw notStun();
  return stream.length < 4 ? 4 : HEADER_BYTES + stream.readUInt16BE(2);
}

/** XOR-PEER-ADDRESS of an IPv4 endpoint (RFC 8489 §14.2). */
export function xorAddress({ host, port }: Endpoint): Buffer {
  const value = Buffer.alloc(8);
  value.writeUInt8(1, 1);
  value.writeUInt16BE(port ^ COOKIE.readUInt16BE(0), 2);
  xor(Buffer.from(host.split('.').map(Number))).copy(value, 4);
  return value;
}

/** The IPv4 endpoint in an XOR-MAPPED-ADDRESS and its like; undefined when there is none. */
export function endpointIn(value: Buffer | undefined): Endpoint | undefined {
  if (value?.length !== 8) return undefined;
  return { host: [...xor(value.subarray(4))].join('.'), port: value.readUInt16BE(2) ^ COOKIE.readUInt16BE(0) };
}

const xor = (address: Buffer): Buffer => Buffer.from(address.map((byte, index) => byte ^ COOKIE.readUInt8(index % 4)));

function header({ method, class: kind, transaction }: StunMessage, length: number): Buffer {
  const start = Buffer.alloc(4);
  start.writeUInt16BE(method | kind, 0);
  start.writeUInt16BE(length, 2);
  return Buffer.concat([start, COOKIE, transaction]);
}

function attribute(type: number, value: Buffer): Buffer {
  const start = Buffer.alloc(4);
  start.writeUInt16BE(type, 0);
  start.writeUInt16BE(value.length, 2);
  return Buffer.concat([start, value, Buffer.alloc(-value.length & 3)]);
}

/** Where the values are. @throws ProbeError when one is longer than the message */
function* attributesIn(bytes: Buffer): Generator<[type: number, at: number, end: number]> {
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw notStun();
    const length = bytes.readUInt16BE(at + 2);
    if (at + 4 + length > bytes.length) throw notStun();
    yield [bytes.readUInt16BE(at), at + 4, at + 4 + length];
    at += 4 + length + (-length & 3);
  }
}

const notStun = () => new ProbeError('unexpected', 'what answers there does not speak STUN');
