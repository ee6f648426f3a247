import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until it holds. @throws Error after a minute */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${holds}`);
    await delay(5);
  }
}
