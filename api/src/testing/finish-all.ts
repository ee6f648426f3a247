const PATIENCE_MS = 10_000;

/**
 * Has leftovers finished until none is `left`: once is not enough, because the application's own reaper may have one in
 * hand. Fails after ten seconds.
 */
export async function finishAll(
  finish: () => Promise<void>,
  left: () => PromiseLike<{ length: number }>,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    await finish();
    if ((await left()).length === 0) return;
    if (performance.now() > deadline) throw new Error('leftovers come to no end');
  }
}
