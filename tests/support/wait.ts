const INTERVAL_MS = 50;
// Long, for a machine that has much else to do: what has to happen sooner is given a time of its own.
const DEFAULT_TIMEOUT_MS = 120_000;

type Fulfilled<T> = Exclude<T, false | null | undefined>;

/**
 * Asks `check` again and again until it answers something other than false, null or undefined, and resolves
 * with that answer. A check that throws counts as "not yet"; its last error becomes the cause of the failure.
 *
 *     const row = await until('the push session is stored', () => findPushSession(jid));
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  { timeoutMs = DEFAULT_TIMEOUT_MS }: { timeoutMs?: number } = {},
): Promise<Fulfilled<T>> {
  // A monotonic clock: the deadline must not move when the machine's time is set.
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await check();
      if (answer !== false && answer !== null && answer !== undefined) return answer as Fulfilled<T>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}
