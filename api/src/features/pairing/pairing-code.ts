import { createHmac, hkdfSync, randomInt } from 'node:crypto';
import type { Secret } from '../../common/secret.js';

const CODE = /^\d{6}$/;

/** How long a code may be used. */
export const CODE_SECONDS = 600;
/** Wrong tries of an account after which its codes are worth nothing. */
export const MOST_WRONG_TRIES = 5;

/** Makes codes that people type from one screen into another, and knows them again. */
export class PairingCodes {
  private readonly key: Buffer;

  constructor(secret: Secret) {
    this.key = Buffer.from(hkdfSync('sha256', secret.reveal(), '', 'veil pairing code', 32));
  }

  /** Six digits, each code as likely as any other. */
  make(): string {
    return String(randomInt(1_000_000)).padStart(6, '0');
  }

  /**
   * Under which the code of an account is kept: a million codes are soon tried, so it takes the key to know which it is.
   * Null for what is no code.
   */
  hash(accountId: string, code: string): Buffer | null {
    if (!CODE.test(code)) return null;
    return createHmac('sha256', this.key).update(`${accountId} ${code}`).digest();
  }
}
