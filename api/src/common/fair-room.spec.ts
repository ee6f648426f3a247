import { expect, it } from '@jest/globals';
import { FairRoom } from './fair-room.js';

const enter = (room: FairRoom, owner: string): number => {
  let entered = 0;
  while (room.enter(owner)) entered += 1;
  return entered;
};

it('whoever takes all that he can get leaves half, and others find theirs', () => {
  const room = new FairRoom(1000);
  expect(['a', 'b', 'c'].map((owner) => enter(room, owner))).toEqual([500, 250, 125]);
  expect(room.enter('a')).toBe(false);
  expect(room.enter('late')).toBe(true);
});

it('what goes makes room again', () => {
  const room = new FairRoom(10);
  expect(enter(room, 'a')).toBe(5);
  for (let n = 0; n < 5; n += 1) room.leave('a');
  expect([enter(room, 'b'), enter(room, 'a')]).toEqual([5, 3]);
});
