import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import type { Secret } from './secret.js';

const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** Random bytes for this many nonces are asked for at once: one by one they cost as much as the cipher. */
const POOLED_NONCES = 256;
const pool = Buffer.alloc(POOLED_NONCES * NONCE_LENGTH);
let used = pool.length;

/** Used once; its place is filled anew when all have been. */
function newNonce(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += NONCE_LENGTH;
  return pool.subarray(used - NONCE_LENGTH, used);
}

/** Keeps texts in the database that only the API can read: AES-256-GCM under keys derived from secrets (RFC 5869). */
export class Seal {
  /** As objects: with the bytes of a key, Node 24 takes three times as long for each text. */
  private readonly keys: KeyObject[];

  /**
   * @param secrets the first seals, all open, so that a secret can be replaced
   * @param purpose sets the keys apart from those of any other use of the secrets
   */
  constructor(secrets: readonly Secret[], purpose: string) {
    this.keys = secrets.map((secret) =>
      createSecretKey(Buffer.from(hkdfSync('sha256', secret.reveal(), '', `veil ${purpose}`, 32))),
    );
  }

  /** @param context what the text belongs to; it opens with the same context only */
  seal(text: string, context: string): Buffer {
    const [key] = this.keys;
    if (!key) throw new Error('a seal needs a secret');
    const nonce = newNonce();
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** The text, or null when it was sealed with another secret, for something else, or altered. */
  open(sealed: Buffer, context: string): string | null {
    for (const key of this.keys) {
      const text = openWith(key, sealed, context);
      if (text !== null) return text;
    }
    return null;
  }
}

function openWith(key: KeyObject, sealed: Buffer, context: string): string | null {
  if (sealed.length < NONCE_LENGTH + TAG_LENGTH) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_LENGTH));
  decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-TAG_LENGTH));
  try {
    return decipher.update(sealed.subarray(NONCE_LENGTH, -TAG_LENGTH), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return null;
  }
}
