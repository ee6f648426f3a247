import { describe, expect, it } from '@jest/globals';
import { Gate } from './gate.js';

describe('a gate', () => {
  it('lets so many in at a time, in their order, whatever becomes of them', async () => {
    const gate = new Gate(2);
    const order: number[] = [];
    let inside = 0;
    let most = 0;
    const work = (id: number) => async () => {
      order.push(id);
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
      if (id % 2) throw new Error(`${id}`);
      return id;
    };
    const ends = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6].map((id) => gate.pass(work(id))));
    expect([order, most]).toEqual([[0, 1, 2, 3, 4, 5, 6], 2]);
    expect(ends.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, false, true, false, true]);
    expect(await gate.pass(async () => 'open')).toBe('open');
  });
});
