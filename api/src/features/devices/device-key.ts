import { createPublicKey, verify } from 'node:crypto';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** What a device signs: where the proof counts, who gives it, and the challenge as it was sent. */
export interface Proof {
  readonly context: string;
  readonly deviceId: string;
  readonly challenge: string;
  /** Base64. */
  readonly signature: string;
}

/** The bytes of canonical base64 text (RFC 4648 §4) of that many bytes, or null. */
function decoded(text: string, bytes: number): Buffer | null {
  const buffer = Buffer.from(text, 'base64');
  return buffer.length === bytes && buffer.toString('base64') === text ? buffer : null;
}

/** Whether it is the text of an Ed25519 key: 32 bytes, base64. */
export const isKey = (text: string): boolean => decoded(text, KEY_BYTES) !== null;

/** Whether the holder of an Ed25519 key (RFC 8032) has signed `context:device_id:challenge`. @param key base64 */
export function isProved(key: string, { context, deviceId, challenge, signature }: Proof): boolean {
  const raw = decoded(key, KEY_BYTES);
  const signed = decoded(signature, SIGNATURE_BYTES);
  if (!raw || !signed) return false;
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    return verify(null, Buffer.from(`${context}:${deviceId}:${challenge}`), publicKey, signed);
  } catch {
    // 32 bytes that are no point of the curve.
    return false;
  }
}
