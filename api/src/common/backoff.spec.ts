import { expect, it } from '@jest/globals';
import { backoffMs } from './backoff.js';

it('a pause grows up to its limit, and is not the same for everybody', () => {
  const pauses = (attempt: number) => Array.from({ length: 200 }, () => backoffMs(attempt, 200, 4000));
  for (const [attempt, whole] of [
    ...[[0, 200] as const, [1, 400] as const, [3, 1600] as const, [5, 4000] as const, [5000, 4000] as const],
  ]) {
    const some = pauses(attempt);
    expect(Math.min(...some)).toBeGreaterThanOrEqual(whole / 2);
    expect(Math.max(...some)).toBeLessThanOrEqual(whole);
    expect(new Set(some).size).toBeGreaterThan(20);
  }
});
