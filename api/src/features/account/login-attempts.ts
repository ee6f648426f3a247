import { Injectable } from '@nestjs/common';
import { RateLimiter } from '../../http/rate-limiter.js';

/**
 * Slows down whoever guesses passwords. An account at which too many guesses failed is closed to addresses that have
 * failed lately, at whatever account, but not to one that has not: so nobody can lock another out.
 */
@Injectable()
export class LoginAttempts {
  constructor(private readonly limiter: RateLimiter) {}

  /**
   * Runs one try and counts it unless it succeeds. It counts from its beginning: tries at the same time don't get past.
   * @param account whose password is tried, known or not
   * @param attempt says whether the password was right
   * @throws Problem rate_limited
   */
  async count(account: string, address: string, attempt: () => Promise<boolean>): Promise<boolean> {
    const isClean = this.limiter.calls('login_failures', { address }) === 0;
    this.limiter.take('login_failures', { address });
    try {
      this.limiter.take('account_login_failures', { account });
    } catch (refusal) {
      if (!isClean) throw refusal;
    }
    return this.settle(account, address, attempt);
  }

  /** A try that could not be judged is none. */
  private async settle(account: string, address: string, attempt: () => Promise<boolean>): Promise<boolean> {
    let failed = false;
    try {
      failed = !(await attempt());
      return !failed;
    } finally {
      if (!failed) {
        this.limiter.giveBack('login_failures', { address });
        this.limiter.giveBack('account_login_failures', { account });
      }
    }
  }
}
