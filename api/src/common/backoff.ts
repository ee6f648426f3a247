import { randomInt } from 'node:crypto';

/**
 * How long to wait before the next attempt, in milliseconds: twice as long after each one, up to `mostMs`, and by chance
 * up to half of it less, so that what failed together does not come again together. @param attempt 0 after the first
 */
export function backoffMs(attempt: number, firstMs: number, mostMs: number): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 20));
  return whole - randomInt(Math.floor(whole / 2) + 1);
}
