import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

const REMEMBERED_ACCOUNTS = 50_000;
/** After so many bytes it is looked how many an account has: seldom for most, since that reads all of its messages. */
export const LOOK_AFTER = 16 * 1024 * 1024;

/** Which accounts this process has written so much of that they may have too much. */
@Injectable()
export class RelayGrowth {
  private readonly written = new LRUCache<string, number>({ max: REMEMBERED_ACCOUNTS });
  private readonly grown = new Set<string>();

  add(accountId: string, bytes: number): void {
    const written = (this.written.get(accountId) ?? 0) + bytes;
    this.written.set(accountId, written);
    if (written >= LOOK_AFTER) this.grown.add(accountId);
  }

  /** Those to be looked at, until they have been. */
  accounts(): string[] {
    return [...this.grown];
  }

  lookedAt(accountId: string): void {
    this.grown.delete(accountId);
    this.written.delete(accountId);
  }
}
