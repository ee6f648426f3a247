import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { codeHash, newCode } from '../../common/code.js';
import { Problem } from '../../common/problem.js';
import { type CodePurpose, OneTimeCodesRepository } from './one-time-codes.repository.js';

const HOUR = 3600;

/** How long a code may be used, in seconds: the shorter, the more harm somebody could do with one that he finds. */
export const CODE_LIFETIMES = { resetByMail: HOUR, resetByOperator: 24 * HOUR, verifyEmail: 24 * HOUR } as const;

/** What a redeemed code proves: whose it is, and the address that it was sent to, if it was. */
export interface Proof {
  account: { id: string; username: string };
  email: string | null;
}

/**
 * Codes of 100 bits that open one thing once: whoever holds one may do what it is for, without a password. They are
 * kept as SHA-256, so that a copy of the database opens nothing.
 */
@Injectable()
export class OneTimeCodes {
  constructor(
    private readonly codes: OneTimeCodesRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * A new code in place of an older one of the same purpose; its text is known to the caller alone.
   * @param lifetimeSeconds one of CODE_LIFETIMES
   * @param email the address that it is sent to and so proves
   * @throws Problem not_found when there is no active account
   */
  async issue(
    accountId: string,
    purpose: CodePurpose,
    lifetimeSeconds: number,
    email: string | null = null,
  ): Promise<string> {
    const code = newCode();
    const expiresAt = new Date(this.clock.milliseconds() + lifetimeSeconds * 1000);
    const hash = codeHash(code);
    if (hash && (await this.codes.replace({ accountId, purpose, hash, email, expiresAt }))) return code;
    throw new Problem('not_found', 'there is no such active account');
  }

  /**
   * Uses up a code and does with it what it is for. When that fails the code is good again, so that a server that is
   * away for a moment costs nobody his only way in; after a crash in between it is used up.
   * @param accountId whose code it must be, where the caller is known
   * @throws Problem invalid_code, the same for a wrong, a used and an expired one
   */
  async redeem<T>(
    code: string,
    purpose: CodePurpose,
    use: (proof: Proof) => Promise<T>,
    accountId: string | null = null,
  ): Promise<T> {
    const hash = codeHash(code);
    const taken = hash && (await this.codes.take(hash, purpose, this.clock.now(), accountId));
    if (!taken) throw new Problem('invalid_code', 'ask for a new one');
    try {
      return await use({ account: { id: taken.accountId, username: taken.username }, email: taken.email });
    } catch (error) {
      await this.codes.restore(taken).catch(() => {});
      throw error;
    }
  }

  /** Voids the code of the purpose. @param email only one that was sent there */
  async revoke(accountId: string, purpose: CodePurpose, email: string | null = null): Promise<void> {
    await this.codes.remove(accountId, purpose, email);
  }

  /** Forgets codes that have expired, up to a hundred for each of `most`. */
  async removeExpired(most: number): Promise<void> {
    await this.codes.removeExpired(this.clock.now(), most * 100);
  }
}
