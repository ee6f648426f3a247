import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { until } from '../testing/until.js';
import { Batch } from './batch.js';

/** Work that ends when it is told to. */
function controlled() {
  const batches: number[][] = [];
  const ends: (() => void)[] = [];
  const work = async (items: readonly number[]): Promise<number[]> => {
    batches.push([...items]);
    await new Promise<void>((resolve) => ends.push(resolve));
    return items.map((item) => item * 10);
  };
  return { batches, work, end: () => ends.shift()?.() };
}

describe('a batch', () => {
  it('takes what comes in one turn together, and what comes meanwhile in the next', async () => {
    const { batches, work, end } = controlled();
    const batch = new Batch(work, { most: 100, pauseMs: 0 });
    const first = [batch.add(1), batch.add(2)];
    await nextTurn();
    const second = [batch.add(3), batch.add(4)];
    await nextTurn();
    expect(batches).toEqual([[1, 2]]);
    end();
    expect(await Promise.all(first)).toEqual([10, 20]);
    await until(() => batches.length === 2);
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ]);
    end();
    expect(await Promise.all(second)).toEqual([30, 40]);
    await batch.idle();
  });

  it('takes no more at once than it may', async () => {
    const sizes: number[] = [];
    const batch = new Batch<number, number>(
      async (items) => {
        sizes.push(items.length);
        return items;
      },
      { most: 2, pauseMs: 0 },
    );
    expect(await Promise.all([1, 2, 3, 4, 5].map((item) => batch.add(item)))).toEqual([1, 2, 3, 4, 5]);
    expect(sizes).toEqual([2, 2, 1]);
  });

  it('begins no batch sooner after another than it is told', async () => {
    const beginnings: number[] = [];
    const work = async (items: readonly number[]): Promise<readonly number[]> => {
      beginnings.push(performance.now());
      return items;
    };
    const batch = new Batch(work, { most: 10, pauseMs: 30 });
    await batch.add(1);
    await Promise.all([batch.add(2), batch.add(3)]);
    expect(beginnings).toHaveLength(2);
    expect((beginnings[1] ?? 0) - (beginnings[0] ?? 0)).toBeGreaterThan(28);
  });

  it('fails all of a batch, and goes on with the next', async () => {
    let away = true;
    const batch = new Batch<number, number>(
      async (items) => {
        if (away) throw new Error('away');
        return items;
      },
      { most: 10, pauseMs: 0 },
    );
    const results = await Promise.allSettled([batch.add(1), batch.add(2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    away = false;
    expect(await batch.add(3)).toBe(3);
  });
});
