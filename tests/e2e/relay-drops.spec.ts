/** The short form of what `npm run bench:realtime` does with thousands: whoever loses the connection again and again loses no message. */
import { expect, it } from '@jest/globals';
import { measureDrops } from '../bench/realtime/drops.js';

const CLIENTS = 60;
const SECONDS = 12;
const RHYTHM = { up: 3000, down: 1000, event: 500 };

it('clients that drop again and again get every message that is kept for them', async () => {
  const { owed, got } = await measureDrops(CLIENTS, SECONDS, RHYTHM);
  expect(owed).toBeGreaterThan(CLIENTS);
  expect(got).toBe(owed);
});
